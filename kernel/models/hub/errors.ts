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

const FULL = /quota|storage (limit|space)|out of storage|limit (reached|exceeded)|exceeded your/i;

/** Returns what went wrong with an upload, and what to do about it. The token is not in it, whatever the hub says. */
export function pushError(error: unknown, name: string, settings: HubSettings & { token: string }): Error {
  const { endpoint, token } = settings;
  const { statusCode: status, message } = error as Error & { statusCode?: number };
  if (status === undefined) return error instanceof TypeError ? networkError(error, settings) : (error as Error);
  // The client adds the address that it asked.
  const said = message.replaceAll(token, 'hf_…').split('. URL: ')[0];
  if (FULL.test(said) || [402, 413, 507].includes(status))
    return new HubError(
      `${endpoint} has no room for ${name} (${status}: ${said}): free some in the settings of the account, or push a smaller model (the adapter alone, dtype 'bfloat16')`,
    );
  if (status === 401)
    return new HubError(
      `${endpoint} does not know the token (401): make one that may write at ${endpoint}/settings/tokens, and set HF_TOKEN to it`,
    );
  if (status === 403)
    return new HubError(
      `the token may not write to ${name} (403: ${said}): use one with the role "write", and an account that belongs to ${name.split('/')[0]}`,
    );
  if (status === 404) return new HubError(`there is no ${name} at ${endpoint} to write to (404): check its name`);
  if (status === 409 || status === 412)
    return new HubError(`${name} was changed by someone else meanwhile (${status}: ${said}): push again`);
  return new HubUnreachable(`${endpoint} answered ${status}: ${said}; try again later, what is uploaded is kept`);
}
