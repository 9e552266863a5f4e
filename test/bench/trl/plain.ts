import { accelerateConfig, hasGpu, python, type Measured, type Setup } from './setup';

/** Plain TRL with a reward in Python, several processes by `accelerate launch`. */
export function plain(setup: Setup): Measured {
  const out = python('plain.py', [JSON.stringify(setup)], launcher(setup));
  return JSON.parse(/^RESULT (.*)$/m.exec(out)![1]);
}

function launcher({ folder, launch }: Setup): string[] {
  const { processes, isSharded } = launch;
  if (processes === 1) return [];
  // accelerate's launcher starts several processes without a GPU by MPI alone.
  if (!hasGpu() && !isSharded)
    return ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', `${processes}`];
  return ['-m', 'accelerate.commands.launch', '--config_file', accelerateConfig(folder, launch)];
}
