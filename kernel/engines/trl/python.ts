import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { gpuFolder } from '../../common/gpuFolder';
import { environmentPython, pythonPath } from '../../common/packagePaths';

/** What every message says that wants packages. */
export const SET_UP =
  '`joylab setup gpu` makes an environment with them, or $JOYLAB_GPU_PYTHON names a Python that has them';

/** The Python that was set up for GPUs: `$JOYLAB_GPU_PYTHON`, else that of `joylab setup gpu`; null where there is none. */
export function gpuPython(): string | null {
  const named = process.env.JOYLAB_GPU_PYTHON;
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`There is no Python at ${named}, which $JOYLAB_GPU_PYTHON names.`);
  }
  const made = environmentPython(gpuFolder());
  return existsSync(made) ? made : null;
}

/**
 * The Python that runs workers: the one for GPUs, else Joylab's own where that has TRL.
 *
 * @throws where there is none, with what to do
 */
export function workerPython(): string {
  const python = gpuPython() ?? ownPython();
  if (python) return python;
  throw new Error(`There is no Python with PyTorch, transformers, PEFT and TRL: ${SET_UP}.`);
}

function ownPython(): string | null {
  const python = pythonPath();
  return hasPackages(python, ['torch', 'transformers', 'peft', 'trl']) ? python : null;
}

const known = new Map<string, boolean>();

/** Whether a Python finds packages. They are not loaded, which takes seconds. */
export function hasPackages(python: string, names: readonly string[]): boolean {
  const key = JSON.stringify([python, names]);
  const found = known.get(key);
  if (found) return true;
  const script = `import importlib.util as u, sys; sys.exit(not all(u.find_spec(name) for name in ${JSON.stringify(names)}))`;
  const has = spawnSync(python, ['-c', script], { stdio: 'ignore', timeout: 60_000 }).status === 0;
  known.set(key, has);
  return has;
}
