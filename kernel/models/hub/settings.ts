import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The settings by which the hub is reached, from the environment variables that all of its clients know. */
export interface HubSettings {
  /** `HF_ENDPOINT`: the hub or a mirror of it. */
  endpoint: string;
  /** `HF_HUB_CACHE`, or `hub` in `HF_HOME`; `~/.cache/huggingface/hub` by default. */
  cache: string;
  /** `HF_TOKEN`, or what `hf auth login` has stored; null: none. */
  token: string | null;
  /** Whether the hub is never asked: `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`. */
  offline: boolean;
  /** Whether large files are downloaded by the hub's own protocol: not with `HF_HUB_DISABLE_XET`. */
  xet: boolean;
  /** Whether progress is shown: not with `HF_HUB_DISABLE_PROGRESS_BARS`. */
  progress: boolean;
  /** Milliseconds in which the hub must answer: `HF_HUB_ETAG_TIMEOUT` (in seconds); 10 s by default. */
  timeout: number;
  /**
   * Milliseconds without a byte after which a download is continued on a new connection:
   * `HF_HUB_DOWNLOAD_TIMEOUT` (in seconds); 10 s by default.
   */
  downloadTimeout: number;
}

/** Returns the settings of the environment, which are read at every call, so that a cell can change them. */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const home = path(env.HF_HOME) ?? join(path(env.XDG_CACHE_HOME) ?? join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cache: path(env.HF_HUB_CACHE) ?? path(env.HUGGINGFACE_HUB_CACHE) ?? join(home, 'hub'),
    token: token(env, home),
    offline: isTrue(env.HF_HUB_OFFLINE) || isTrue(env.TRANSFORMERS_OFFLINE),
    xet: !isTrue(env.HF_HUB_DISABLE_XET),
    progress: !isTrue(env.HF_HUB_DISABLE_PROGRESS_BARS),
    timeout: 1000 * (Number(env.HF_HUB_ETAG_TIMEOUT) || 10),
    downloadTimeout: 1000 * (Number(env.HF_HUB_DOWNLOAD_TIMEOUT) || 10),
  };
}

function token(env: NodeJS.ProcessEnv, home: string): string | null {
  const file = path(env.HF_TOKEN_PATH) ?? join(home, 'token');
  const stored = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  return (env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN || stored()).trim() || null;
}

function path(value: string | undefined): string | null {
  return value ? value.replace(/^~(?=$|[\\/])/, homedir()) : null;
}

function isTrue(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}
