import { formatBytes } from '../../display/progress/progressBar';
import type { HubSettings } from './settings';

/** Thrown when a retry would fail, too; the message says what helps. */
export class HubError extends Error {}

/** Thrown when the hub does not answer, or cannot at the moment: the cache may serve instead. */
export class HubUnreachable extends Error {}

/** Returns the error for a failed answer of the hub about a model, with what to do about it. */
export async function answerError(response: Response, name: string, settings: HubSettings): Promise<Error> {
  const { endpoint, token } = settings;
  const page = `${endpoint}/${name}`;
  const code = response.headers.get('X-Error-Code');
  const said = response.headers.get('X-Error-Message') ?? (await response.text().catch(() => '')).slice(0, 200);
  if (code === 'GatedRepo') {
    return new HubError(
      token
        ? `${name} is gated, and your token has no access to it: ask for access at ${page}, or use the token of an account that has it (HF_TOKEN)`
        : `${name} is gated: ask for access at ${page}, then set HF_TOKEN to a token of your account (or run \`hf auth login\`)`,
    );
  }
  if (code === 'RevisionNotFound')
    return new HubError(
      `${name} has no such revision at ${endpoint}; valid are branches, tags and commits, see ${page}/commits`,
    );
  if (code === 'RepoNotFound' || response.status === 404 || (response.status === 401 && !token)) {
    const hint = token
      ? 'check its name, and whether your token may read it'
      : 'check its name; if it is private, set HF_TOKEN (or run `hf auth login`)';
    return new HubError(`there is no model ${JSON.stringify(name)} at ${endpoint}: ${hint}`);
  }
  if (response.status === 401 || response.status === 403) {
    return new HubError(
      `${endpoint} refuses ${name} (${response.status}): the token (HF_TOKEN, or that of \`hf auth login\`) is not valid for it. ${said}`,
    );
  }
  return new HubUnreachable(`${endpoint} answered ${response.status}${said ? `: ${said}` : ''}; try again later`);
}

/** Returns the error for a hub that does not answer. */
export function networkError(error: unknown, { endpoint }: HubSettings): HubUnreachable {
  const cause = (error as Error).cause as { code?: string; message?: string } | undefined;
  const why = cause?.code ?? cause?.message ?? (error as Error).message;
  const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  const hint =
    proxy && !process.env.NODE_USE_ENV_PROXY
      ? ' HTTPS_PROXY is used only with NODE_USE_ENV_PROXY=1, in a Node.js that knows it.'
      : '';
  return new HubUnreachable(
    `${endpoint} cannot be reached (${why}); check the network, or set HF_ENDPOINT to a mirror.${hint}`,
    { cause: error },
  );
}

/** Returns the error for a disk without room for a download. */
export function diskFull(name: string, needed: number, free: number, cache: string): HubError {
  return new HubError(
    `no room for ${name}: ${formatBytes(needed)} are to be downloaded and ${formatBytes(free)} are free in ${cache}. ` +
      'Free some space, or set HF_HOME to a folder on another disk; what is downloaded already is kept',
  );
}
