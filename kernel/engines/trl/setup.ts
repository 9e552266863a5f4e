import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentPython, packageRoot } from '../../setup/python';
import { examine, gpuEnvironment, type PythonReport } from './python';

/** Options of {@link setupGpu}. */
export interface SetupGpuOptions {
  /** Unsloth, too, and the versions that it wants. */
  unsloth?: boolean;
  /** Where pip finds a PyTorch for this machine's accelerator, as PyTorch's own page names it (ROCm, another CUDA). */
  torchIndex?: string;
  /** Only look at the environment that is there. */
  check?: boolean;
}

/**
 * `joylab setup gpu`: makes the Python environment that workers run in, or
 * brings it up to date, and says what it can train with.
 *
 * @throws where Python, pip or the network fail; their own words come before
 */
export async function setupGpu({ unsloth, torchIndex, check }: SetupGpuOptions): Promise<void> {
  const folder = gpuEnvironment();
  const python = environmentPython(folder);
  if (!check) {
    process.stdout.write(
      `Making ${folder}: about 3 GB are downloaded and 8 GB of disk taken where PyTorch brings its CUDA; some minutes on a fast connection.\n`,
    );
    await run(process.env.JOYLAB_BASE_PYTHON || 'python3', ['-m', 'venv', folder]);
    if (torchIndex) await run(python, ['-m', 'pip', 'install', 'torch', '--index-url', torchIndex]);
    await run(python, [
      '-m',
      'pip',
      'install',
      ...packages(unsloth ? 'requirements-unsloth.txt' : 'requirements.txt', !torchIndex),
    ]);
  }
  process.stdout.write(describe(await examine(python)));
}

/** The packages that a file of requirements names. A PyTorch that was asked for by its index stays: it is the one for this machine. */
function packages(file: string, withTorch: boolean): string[] {
  const lines = readFileSync(join(packageRoot, 'kernel', 'engines', 'trl', file), 'utf8').split('\n');
  return lines.filter((line) => /^[a-z]/.test(line) && (withTorch || !line.startsWith('torch==')));
}

/** What a Python can train with, in lines. */
export function describe({ python, versions, devices, problem }: PythonReport): string {
  const found = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    python,
    `  ${found.join(', ') || 'nothing that a worker needs: run `joylab setup gpu`'}`,
    ...devices.map(({ name, type, gib }) => `  ${name} (${type}), ${gib} GiB`),
  ];
  if (devices.length === 0)
    lines.push(`  no accelerator that PyTorch can use: models run on the CPU${problem ? ` (${problem})` : ''}`);
  return `${lines.join('\n')}\n`;
}

/** Runs a program whose output goes to the terminal. */
async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit' });
  const [code] = await Promise.race([
    once(child, 'close'),
    once(child, 'error').then(([error]) => {
      throw error;
    }),
  ]);
  if (code !== 0) throw new Error(`\`${[command, ...args].join(' ')}\` failed (exit code ${code})`);
}
