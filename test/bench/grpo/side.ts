import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { SideArguments, StepTimes } from './joylabSide';

/** One of the two trainers, in a process of its own that makes a step when told to. */
export class Side {
  /** Versions of what it runs on. */
  versions: Record<string, string> = {};
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly answers: AsyncIterator<string>;
  private log = '';

  private constructor(command: string, args: string[], given: SideArguments) {
    this.process = spawn(command, [...args, JSON.stringify(given)], { env: { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' } });
    this.process.stderr.on('data', (data: Buffer) => (this.log = (this.log + data).slice(-5000)));
    this.answers = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** Starts a side: a program and its arguments, the last of which says what to train. */
  static async start([command, ...args]: string[], given: SideArguments): Promise<Side> {
    const side = new Side(command, args, given);
    side.versions = (await side.answer<{ versions: Record<string, string> }>()).versions;
    return side;
  }

  /** Makes a training step. */
  step(): Promise<StepTimes> {
    this.process.stdin.write('\n');
    return this.answer();
  }

  /** Ends the process. @returns its peak memory in bytes */
  async finish(): Promise<number> {
    this.process.stdin.end();
    return (await this.answer<{ peakMemory: number }>()).peakMemory;
  }

  /** Ends the process at once, where it still runs. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  private async answer<T>(): Promise<T> {
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`${this.process.spawnargs.slice(0, 2).join(' ')} ended:\n${this.log}`);
    return JSON.parse(value) as T;
  }
}

/** Steps of several sides in turn, so that what else the machine does falls on all alike; `warmUp` steps of each are left out. */
export async function stepInTurn(sides: readonly Side[], { warmUp, steps }: { warmUp: number; steps: number }): Promise<StepTimes[][]> {
  const times: StepTimes[][] = sides.map(() => []);
  for (let i = 0; i < warmUp + steps; i++) {
    for (const [s, side] of sides.entries()) {
      const time = await side.step();
      if (i >= warmUp) times[s].push(time);
    }
  }
  return times;
}
