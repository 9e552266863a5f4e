import * as os from 'node:os';
import * as path from 'node:path';

/** Returns Jupyter's data folder of this user: what `jupyter --data-dir` prints. */
export function userDataFolder(): string {
  const { JUPYTER_DATA_DIR, XDG_DATA_HOME, APPDATA } = process.env;
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Jupyter');
  if (process.platform === 'win32' && APPDATA) return path.join(APPDATA, 'jupyter');
  return path.join(XDG_DATA_HOME || path.join(os.homedir(), '.local', 'share'), 'jupyter');
}
