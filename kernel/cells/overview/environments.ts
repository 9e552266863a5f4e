import type { EnvironmentRow, SessionCount } from '../../display/overview';
import type { RolloutEnvironment } from '../../environments/environment';
import { SESSIONS, type CountsSessions } from '../../environments/sessionCount';
import { notebook } from '../../grpo/session';
import { episodesUnderWay } from '../../rollout/pool';
import { knownReferenceReturns } from '../../rollout/reference';
import type { Variables } from '../variables';

type Known = RolloutEnvironment & CountsSessions & { close?(): Promise<void> };

/** Returns a row for each environment that variables hold, in the order of the variables. */
export function environmentRows(variables: Variables): EnvironmentRow[] {
  const names = new Map<Known, string[]>();
  for (const name of variables.names()) {
    const value = variables.get(name);
    if (isEnvironment(value)) names.set(value, [...(names.get(value) ?? []), name]);
  }
  return [...names].map(([env, variables]) => ({
    variables,
    name: env.name,
    source: env.environment,
    actions: [...env.actions],
    sessions: sessionsOf(env),
    returns: returnsOf(env),
  }));
}

/**
 * Closes the environment that a variable holds.
 *
 * @throws Error when there is none, or a run in progress plays it
 */
export async function closeEnvironment(variables: Variables, name: string): Promise<void> {
  const env = variables.has(name) ? variables.get(name) : undefined;
  if (!isEnvironment(env) || !env.close) throw new Error(`The notebook has no environment ${name} any more.`);
  const run = notebook.newestRun;
  if (run?.parts.env === env && run.trainer.status === 'running')
    throw new Error(`${name} is played by the run in progress: pause it first.`);
  if (episodesUnderWay(env) > 0) throw new Error(`Episodes of ${name} are played now: interrupt the cell first.`);
  await env.close();
}

function isEnvironment(value: unknown): value is Known {
  return typeof value === 'object' && value !== null && SESSIONS in value && 'vectorSources' in value;
}

function sessionsOf(env: Known): SessionCount | null {
  const own = env[SESSIONS]();
  const played = episodesUnderWay(env);
  return own && { open: own.open + played, busy: own.busy + played };
}

function returnsOf(env: Known): EnvironmentRow['returns'] {
  const known = knownReferenceReturns(env);
  if (!known) return [];
  const best = known.constants.reduce<(typeof known.constants)[number] | null>(
    (best, one) => (best && best.mean >= one.mean ? best : one),
    null,
  );
  return [
    { name: 'chance', mean: known.chance.mean },
    ...(best ? [{ name: `always ${best.action}`, mean: best.mean }] : []),
    ...(known.human ? [{ name: 'human', mean: known.human.mean }] : []),
  ].sort((a, b) => a.mean - b.mean);
}
