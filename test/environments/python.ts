import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';

/** Runs one of this folder's Python scripts and returns its output, which is JSON. */
export async function python(script: string, ...args: (string | number)[]): Promise<any> {
  const file = path.join(packageRoot, 'test', 'environments', script);
  const { stdout } = await promisify(execFile)(pythonPath(), [file, ...args.map(String)], {
    maxBuffer: 10 ** 8,
    timeout: 600_000,
  });
  return JSON.parse(stdout);
}

/**
 * Runs OpenEnv's command line and returns its exit code and output. Its PATH has only
 * the Python environment's tools: uv and Docker would behave differently on other
 * machines.
 */
export async function openenvCommand(...args: string[]): Promise<{ code: number; output: string }> {
  try {
    const env = { ...process.env, PATH: path.dirname(pythonPath()) };
    const { stdout, stderr } = await promisify(execFile)(pythonPath(), ['-m', 'openenv.cli', ...args], {
      env,
      timeout: 600_000,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error: any) {
    return { code: error.code ?? -1, output: error.stdout + error.stderr };
  }
}
