import { existsSync } from 'node:fs';
import { hasPackages, SET_UP, workerPython } from './python';

/** How many processes a worker has, and what starts them. */
export interface Launch {
  numProcesses: number;
  /** accelerate's configuration, which says the rest. */
  configFile: string | null;
}

/**
 * Returns what starts a worker.
 *
 * @throws where packages are missing, with what to do
 */
export function workerCommand(
  { numProcesses, configFile }: Launch,
  { backend }: { backend: 'trl' | 'unsloth' },
): { command: string[] } {
  const python = workerPython();
  if (backend === 'unsloth' && !hasPackages(python, ['unsloth']))
    throw new Error(
      `${python} has no Unsloth: \`joylab setup gpu --unsloth\` makes an environment with it, or load with backend: 'trl'.`,
    );
  if (!hasPackages(python, ['torch', 'transformers', 'peft', 'trl']))
    throw new Error(`${python} lacks PyTorch, transformers, PEFT or TRL: ${SET_UP}.`);
  if (configFile !== null) {
    if (!existsSync(configFile))
      throw new Error(`There is no ${configFile}, which launch.configFile names: accelerate config writes one.`);
    return { command: [python, '-m', 'accelerate.commands.launch', '--config_file', configFile] };
  }
  if (numProcesses === 1) return { command: [python] };
  // It starts on processors, too, which accelerate's launcher leaves to MPI.
  const processes = ['--standalone', '--nnodes', '1', '--nproc_per_node', String(numProcesses)];
  return { command: [python, '-m', 'torch.distributed.run', ...processes] };
}
