import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { KERNEL_MARK } from '../kernelMark';

/**
 * The script of a shell that waits until its input is closed, which the system
 * does however the kernel ends, and then becomes the reaper. The last line that
 * it has read is an argument of the reaper. A waiting shell takes one megabyte,
 * a waiting Node.js forty.
 */
const WAIT = 'session=; while read -r line; do session=$line; done; exec "$0" "$@" $session';

/**
 * Ends the processes that cells start with the kernel, however that ends.
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

  /** Notes the child that the kernel waits for, which has a session of its own; `undefined`: there is none. */
  note(pid: number | undefined): void {
    this.shell?.stdin?.write(`${pid ?? ''}\n`);
  }
}
