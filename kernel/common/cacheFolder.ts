import { homedir } from 'node:os';
import * as path from 'node:path';

/** Returns `$JOYLAB_CACHE`, else a folder in the user's cache folder; `null` when the variable is empty, to cache nothing. */
export function cacheFolder(): string | null {
  const named = process.env.JOYLAB_CACHE;
  return named === undefined ? path.join(userCaches(), 'joylab') : named || null;
}

function userCaches(): string {
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') return process.env.LOCALAPPDATA ?? path.join(homedir(), 'AppData', 'Local');
  return process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
}
