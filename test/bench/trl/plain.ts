import { createInterface } from 'node:readline';
import { accelerateConfig, hasGpu, python, started, type Measured, type Setup } from './setup';

/** Plain TRL with a reward in Python, several processes by `accelerate launch`. */
export function plain(setup: Setup): Measured {
  const out = python('plain.py', [JSON.stringify(setup)], launcher(setup));
  return measured(out);
}

function measured(out: string): Measured {
  return JSON.parse(/^RESULT (.*)$/m.exec(out)![1]);
}

/** Plain TRL in one process that makes a step when it is told to. */
export interface PlainInTurns {
  /** Makes a step, and resolves when it is made. */
  step(): Promise<void>;
  /** Resolves to what was measured, after all steps. */
  result(): Promise<Measured>;
}

/** Starts plain TRL, and resolves when its first step could begin. */
export async function plainInTurns(setup: Setup): Promise<PlainInTurns> {
  const child = started('plain.py', [JSON.stringify({ ...setup, inTurns: true })]);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let out = '';
  /** Resolves when it waits for its next turn, or has ended. */
  const turnEnds = async (): Promise<void> => {
    for (let line = await lines.next(); !line.done && line.value !== 'READY'; line = await lines.next())
      out += `${line.value}\n`;
  };
  await turnEnds();
  return {
    step() {
      child.stdin.write('\n');
      return turnEnds();
    },
    async result() {
      await turnEnds();
      if (!out.includes('RESULT ')) throw new Error('plain.py failed; what it said is above.');
      return measured(out);
    },
  };
}

function launcher({ folder, launch }: Setup): string[] {
  const { processes, isSharded } = launch;
  if (processes === 1) return [];
  // accelerate's launcher starts several processes without a GPU by MPI alone.
  if (!hasGpu() && !isSharded)
    return ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', `${processes}`];
  return ['-m', 'accelerate.commands.launch', '--config_file', accelerateConfig(folder, launch)];
}
