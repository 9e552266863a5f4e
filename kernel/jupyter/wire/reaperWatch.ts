import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { KERNEL_MARK } from '../kernelMark';

/**
 * A shell that waits until its input ends, which the system sees to however
 * the kernel ends; then it becomes the reaper. (A shell costs a megabyte, a
 * Node.js that waits forty.) The last line that it read is for the reaper.
 */
const WAIT = 'session=; while read -r line; do session=$line; done; exec "$0" "$@" $session';

/**
 * Has what cells start end with the kernel, however that ends.
 *
 * #### Notes
 * On Windows the children of Node.js end with it by themselves: they are in a
 * job of the system.
 */
export class ReaperWatch {
  private readonly shell: ChildProcess | undefined;

  constructor() {
    const id = process.env[KERNEL_MARK];
    if (process.platform === 'win32' || !id) return;
    const { [KERNEL_MARK]: _mark, NODE_OPTIONS: _options, ...env } = process.env;
    const args = ['-c', WAIT, process.execPath, join(__dirname, 'reaper.js'), id, String(process.pid)];
    // In a session of its own: a signal to all of the kernel's does not reach it.
    this.shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/', env });
    this.shell.on('error', () => {}); // Without a shell nobody watches.
    this.shell.stdin?.on('error', () => {});
    this.shell.unref();
    (this.shell.stdin as unknown as { unref(): void } | null)?.unref();
  }

  /** Tells of the child that the kernel waits for, which has a session of its own; `undefined`: it has ended. */
  note(pid: number | undefined): void {
    this.shell?.stdin?.write(`${pid ?? ''}\n`);
  }
}
