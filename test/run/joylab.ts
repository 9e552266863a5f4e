import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildRoot } from '../../kernel/common/packagePaths';

/** Runs `joylab` in a folder; gives its exit code and what it prints. */
export function joylab(
  folder: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(buildRoot, 'kernel', 'cli.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 600_000,
  });
  return { code: status, stdout, stderr };
}
