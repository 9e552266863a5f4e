import { existsSync } from 'node:fs';
import type { SshAddress } from '../../common/sshAddress';
import { hasPackages, SET_UP, workerPython } from './python';
import { throughSsh } from './remote/ssh';
import type { Program } from './worker';

/** How many processes a worker has, and what starts them. */
export interface Launch {
  numProcesses: number;
  /** accelerate's configuration, which says the rest. */
  configFile: string | null;
  /** The machine that the worker runs on; null for this one. */
  ssh?: SshAddress | null;
}

/** Packages of every worker. */
const PACKAGES = ['torch', 'transformers', 'peft', 'trl'];

/**
 * Returns what starts a worker.
 *
 * @throws where packages are missing, with what to do
 */
export function workerProgram(launch: Launch, { backend }: { backend: 'trl' | 'unsloth' }): Program {
  const { configFile, ssh } = launch;
  const args = pythonArguments(launch);
  if (ssh) {
    const packages = backend === 'unsloth' ? [...PACKAGES, 'unsloth'] : PACKAGES;
    return { through: (place) => throughSsh(ssh, { ...place, args, packages }) };
  }
  const python = workerPython();
  if (backend === 'unsloth' && !hasPackages(python, ['unsloth']))
    throw new Error(
      `${python} has no Unsloth: \`joylab setup gpu --unsloth\` makes an environment with it, or load with backend: 'trl'.`,
    );
  if (!hasPackages(python, PACKAGES)) throw new Error(`${python} lacks PyTorch, transformers, PEFT or TRL: ${SET_UP}.`);
  if (configFile !== null && !existsSync(configFile))
    throw new Error(`There is no ${configFile}, which launch.configFile names: accelerate config writes one.`);
  return { command: [python, ...args] };
}

/** What Python is called with before the worker's program. */
function pythonArguments({ numProcesses, configFile }: Launch): string[] {
  if (configFile !== null) return ['-m', 'accelerate.commands.launch', '--config_file', configFile];
  if (numProcesses === 1) return [];
  // It starts on processors, too, which accelerate's launcher leaves to MPI.
  const processes = ['--standalone', '--nnodes', '1', '--nproc_per_node', String(numProcesses)];
  return ['-m', 'torch.distributed.run', ...processes];
}
