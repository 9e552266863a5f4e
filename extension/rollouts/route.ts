/** What a view of rollouts shows: all runs of a file; with `run`, that one; with `step`, its group; with `position`, one of it. */
export interface Route {
  /** Path of the notebook, for its kernel. */
  notebook: string;
  /** The file of the rollouts, as the notebook's kernel finds it. */
  database: string;
  run?: string;
  step?: number;
  /** Index of a rollout among those of its step. */
  position?: number;
  /** The rollout that it is compared with. */
  other?: { step: number; position: number };
}

/** Where runs without `outputDir` keep their rollouts, beside the notebook. */
export const DEFAULT_DATABASE = '.joylab/rollouts.db';

/** The part of an address that names a rollout. */
const ANCHOR = '#joylab-rollouts=';

/** Returns the address of what a view shows: opened anywhere on this server, it shows the same. */
export function linkTo(route: Route): string {
  const { pathname, origin } = window.location;
  // JupyterLab's address names the notebook that is in front, or none.
  const lab = /^(.*\/lab)(\/|$)/.exec(pathname)?.[1];
  const path = lab ? `${lab}/tree/${route.notebook.split('/').map(encodeURIComponent).join('/')}` : pathname;
  return origin + path + ANCHOR + encodeURIComponent(JSON.stringify(route));
}

/** Returns what the page's address names; `null` where it names nothing. */
export function linkedRoute(hash = window.location.hash): Route | null {
  if (!hash.startsWith(ANCHOR)) return null;
  try {
    return readRoute(JSON.parse(decodeURIComponent(hash.slice(ANCHOR.length))));
  } catch {
    return null;
  }
}

/** Returns the route that arguments of a command or an address give; `null` where they give none. */
export function readRoute(given: unknown): Route | null {
  if (typeof given !== 'object' || given === null) return null;
  const { notebook, database, run, step, position, other } = given as Record<string, any>;
  if (typeof notebook !== 'string' || typeof database !== 'string') return null;
  const isNumber = (value: unknown): value is number => Number.isInteger(value);
  return {
    notebook,
    database,
    ...(typeof run === 'string' && { run }),
    ...(isNumber(step) && { step }),
    ...(isNumber(position) && { position }),
    ...(isNumber(other?.step) &&
      isNumber(other?.position) && { other: { step: other.step, position: other.position } }),
  };
}
