import { spawn, type ChildProcess } from 'node:child_process';
import * as path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';

/** A Python program of this folder that measures when asked to. */
export class Peer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  private constructor(script: string, args: string[]) {
    const file = path.join(packageRoot, 'test', 'bench', 'atari', script);
    this.child = spawn(pythonPath(), [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.reader = createInterface(this.child.stdout!);
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** Starts the program, sends it `input`, and waits until it is ready. */
  static async start(script: string, args: string[], input?: object): Promise<Peer> {
    const peer = new Peer(script, args);
    if (input) peer.child.stdin!.write(`${JSON.stringify(input)}\n`);
    const { value } = await peer.lines.next();
    if (value !== 'ready') throw new Error(`${script} did not start`);
    return peer;
  }

  /** Resolves to one measurement. */
  async run(): Promise<any> {
    this.child.stdin!.write('go\n');
    return JSON.parse((await this.lines.next()).value);
  }

  close(): void {
    this.child.stdin!.end();
    this.reader.close();
  }
}
