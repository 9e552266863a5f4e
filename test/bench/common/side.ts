import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * One of the two programs that a benchmark compares, in a process of its own. It takes
 * one argument, an object in JSON; prints its versions when it is ready; answers each
 * line with a line of JSON, and the end of its input with its peak memory.
 */
export class Side {
  /** Versions of its packages. */
  versions: Record<string, string> = {};
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly answers: AsyncIterator<string>;
  private log = '';

  private constructor(command: string, args: string[], given: object) {
    this.process = spawn(command, [...args, JSON.stringify(given)], {
      env: { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
    });
    this.process.stderr.on('data', (data: Buffer) => (this.log = (this.log + data).slice(-5000)));
    this.answers = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** Starts a side: a program and its arguments. */
  static async start([command, ...args]: string[], given: object): Promise<Side> {
    const side = new Side(command, args, given);
    side.versions = (await side.answer<{ versions: Record<string, string> }>()).versions;
    return side;
  }

  /** Sends an order, which it works through once, and resolves to the answer. */
  ask<T>(order: object = {}): Promise<T> {
    this.process.stdin.write(`${JSON.stringify(order)}\n`);
    return this.answer();
  }

  /** Ends the process and resolves to its peak memory in bytes. */
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

/**
 * Returns the answers of several sides, asked in turn, so that other load of the
 * machine affects all alike; the first `warmUp` of each are left out.
 */
export async function askInTurn<T>(
  sides: readonly Side[],
  { warmUp, steps, order }: { warmUp: number; steps: number; order?: object },
): Promise<T[][]> {
  const answers: T[][] = sides.map(() => []);
  for (let i = 0; i < warmUp + steps; i++) {
    for (const [s, side] of sides.entries()) {
      const answer = await side.ask<T>(order);
      if (i >= warmUp) answers[s].push(answer);
    }
  }
  return answers;
}
