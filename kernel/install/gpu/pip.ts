import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Interpreters that are tried, in this order. */
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
/** PyTorch and transformers want at least this version 3. */
const OLDEST_MINOR = 10;

/** Where PyTorch keeps its wheels by what they are built for: cu130, rocm6.4, cpu. */
const TORCH_WHEELS = 'https://download.pytorch.org/whl/';

/** The first Python of at least 3.10 on the PATH, or the one that `$JOYLAB_BASE_PYTHON` names. */
export function basePython(): string {
  const named = process.env.JOYLAB_BASE_PYTHON;
  const seen: string[] = [];
  for (const command of named ? [named] : CANDIDATES) {
    const { status, stdout } = spawnSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
      encoding: 'utf8',
    });
    if (status !== 0) continue;
    const [major, minor] = stdout.trim().split('.').map(Number);
    if (major === 3 && minor >= OLDEST_MINOR) return command;
    seen.push(`${command} is ${major}.${minor}`);
  }
  throw new Error(
    `the environment needs Python 3.${OLDEST_MINOR} or newer with its venv module; ${seen.length > 0 ? `found only: ${seen.join(', ')}` : 'none was found'}. Install one, or let JOYLAB_BASE_PYTHON name it`,
  );
}

/** The address of an index of PyTorch's: given as such, or by its name. */
export function torchIndexUrl(index: string): string {
  if (/^(https?|file):\/\//.test(index)) return index;
  if (/^[a-z]+[\d.]*$/.test(index)) return TORCH_WHEELS + index;
  throw new Error(
    `--torch-index ${index} is no index of PyTorch; valid are names as cu130, rocm6.4, cpu, and addresses`,
  );
}

/** Runs a command of Python; what it downloads and installs is told to `detail`. Fails with what to do. */
export async function runPython(
  python: string,
  args: readonly string[],
  detail: (text: string) => void = () => {},
): Promise<void> {
  const child = spawn(python, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > 200) lines.shift();
      const download = /^\s*Downloading (\S+?)-\d\S* \((\d[\d.]* [MG]B)\)/.exec(line);
      if (download) detail(`${download[1]} (${download[2]})`);
      if (line.startsWith('Installing collected packages')) detail('unpacking');
    });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw failure(args, code, lines.join('\n'));
}

const NO_SPACE = /No space left on device|ENOSPC/i;
const NO_VENV = /ensurepip|No module named venv/;
const NO_NETWORK =
  /NewConnectionError|ConnectTimeoutError|ReadTimeoutError|name resolution|Network is unreachable|ProxyError|Could not fetch URL/i;
const NO_VERSION = /No matching distribution found for (\S+)/;

function failure(args: readonly string[], code: number | null, output: string): Error {
  if (NO_SPACE.test(output)) return new Error('the disk is full: free some space and run the command again');
  if (NO_VENV.test(output))
    return new Error('Python’s venv module is missing: install it (Debian and Ubuntu: `apt install python3-venv`)');
  if (NO_NETWORK.test(output))
    return new Error('the package index cannot be reached: check network, proxy and --torch-index, and run it again');
  const missing = NO_VERSION.exec(output)?.[1];
  if (missing)
    return new Error(
      `the package index has no ${missing} for this Python and system: choose another --torch-index, or another Python by JOYLAB_BASE_PYTHON`,
    );
  const tail = output.trim().split('\n').slice(-12).join('\n');
  return new Error(`\`python ${args.join(' ')}\` failed (exit code ${code}):\n${tail}`);
}
