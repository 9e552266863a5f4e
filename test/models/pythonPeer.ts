import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';

/** A Python script under test/ that answers calls (see peer.py), started once per test file, with a folder for shared files. */
export class PythonPeer {
  readonly folder = mkdtempSync(join(tmpdir(), 'joylab-peer-'));
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: Interface;
  private readonly waiting: { resolve: (value: any) => void; reject: (error: Error) => void }[] = [];
  private log = '';

  constructor(script: string) {
    const env = {
      ...process.env,
      HF_HUB_OFFLINE: '1',
      OMP_NUM_THREADS: '1',
      TOKENIZERS_PARALLELISM: 'false',
      PYTHONPATH: join(packageRoot, 'test/models'),
    };
    this.process = spawn(pythonPath(), [join(packageRoot, 'test', script)], { env });
    this.process.stderr.on('data', (data: Buffer) => (this.log = (this.log + data).slice(-20000)));
    this.process.on('exit', () =>
      this.waiting.splice(0).forEach(({ reject }) => reject(new Error(`${script} ended:\n${this.log}`))),
    );
    this.lines = createInterface({ input: this.process.stdout });
    this.lines.on('line', (line) => {
      const { result, error } = JSON.parse(line) as { result?: unknown; error?: string };
      const call = this.waiting.shift()!;
      if (error === undefined) call.resolve(result);
      else call.reject(new Error(error));
    });
  }

  /** Calls a function of the script with named arguments. */
  call<T = any>(name: string, args: object = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.process.stdin.write(JSON.stringify({ name, arguments: args }) + '\n');
    });
  }

  /** Returns a path in the folder, which is removed at the end. */
  path(name: string): string {
    return join(this.folder, name);
  }

  close(): void {
    this.lines.close();
    this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Returns the largest absolute difference; Infinity where lengths differ or a value is not a number. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** Returns the norm of the difference relative to that of `expected`; Infinity where lengths differ. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let [difference, size] = [0, 0];
  for (let i = 0; i < actual.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    size += expected[i] ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1e-12);
}
