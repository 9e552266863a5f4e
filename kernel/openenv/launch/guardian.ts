import { spawn, spawnSync } from 'node:child_process';

/*
 * A program of its own: runs a command for as long as its standard input is
 * open, which the system closes however the process at the other end ends.
 * Then it stops the command and all that the command started.
 *
 *     node guardian.js '{ "command": …, "args": […], "cleanup": […] }'
 */

/** A command, and one that cleans up after it. */
export interface Guarded {
  command: string;
  args: string[];
  /** A command with its arguments that is run at the end, such as the removal of a container. */
  cleanup?: string[];
  /** File descriptor of the guardian's that is the command's standard input. None by default. */
  input?: number;
}

/** Milliseconds that the command has after SIGTERM, and that its cleanup has. */
const GRACE = 3000;
const CLEANUP = 15_000;

function guard({ command, args, cleanup, input }: Guarded): void {
  let ending = false;
  const child = spawn(command, args, { stdio: [input ?? 'ignore', 'inherit', 'inherit'], windowsHide: true });

  /** Signals every process of this group, which the guardian leads and is part of. */
  const signalAll = (signal: NodeJS.Signals): void =>
    void (process.platform === 'win32' ? child.kill(signal) : process.kill(-process.pid, signal));
  const tidy = (): void =>
    void (cleanup && spawnSync(cleanup[0], cleanup.slice(1), { stdio: 'ignore', timeout: CLEANUP, windowsHide: true }));
  const end = (): void => {
    if (ending) return;
    ending = true;
    signalAll('SIGTERM');
    setTimeout(finish, GRACE);
  };
  const finish = (): void => {
    tidy();
    signalAll('SIGKILL');
    process.exit();
  };

  child.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(127);
  });
  child.once('exit', (code, signal) => {
    if (ending) return finish();
    tidy();
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  process.stdin.on('end', end).on('error', end).resume();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
}

guard(JSON.parse(process.argv[2]));
