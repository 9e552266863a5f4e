import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { RemoteStart } from './remote/ssh';

/** A worker's program that runs on this machine, or reaches it. */
export interface Started {
  child: ChildProcess;
  /** Says why it ended, where that is another machine's matter. */
  explain?: RemoteStart['explain'];
}

/** Lines that are kept of what the worker wrote, for the error when it ends. */
const KEPT_LINES = 100;
/** Lines that the error shows. */
const SHOWN_LINES = 12;
const KILLED = 'by SIGKILL, as the system ends a process where memory runs out';

/** The newest lines that a process writes. */
export function keptLines(child: ChildProcess, onLine?: (line: string) => void): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine?.(line);
    });
  }
  return lines;
}

/** Rejects when the process ends, with the end of what it wrote. */
export function endOf({ child, explain }: Started, lines: readonly string[]): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const why = explain?.(code, lines) ?? ofSeveral(lines);
      if (why) return reject(new Error(why));
      const how = signal === 'SIGKILL' ? KILLED : signal ? `by ${signal}` : `with exit code ${code}`;
      const said = lines.length > 0 ? `. It wrote last:\n${lines.slice(-SHOWN_LINES).join('\n')}` : '.';
      reject(new Error(`The worker that holds the model ended ${how}${said}`));
    });
  });
  ended.catch(() => undefined);
  return ended;
}

/** Which of several processes was ended by a signal, where their launcher says so: its report is long. */
function ofSeveral(lines: readonly string[]): string | null {
  const start = lines.findLastIndex((line) => line.startsWith('Root Cause'));
  const report = start < 0 ? [] : lines.slice(start);
  const field = (name: string) =>
    report.map((line) => new RegExp(`^ *${name} *: *(-?\\d+)`).exec(line)?.[1]).find(Boolean);
  const [rank, code] = [field('rank'), field('exitcode')];
  if (rank === undefined || code === undefined || Number(code) >= 0) return null;
  const signal = Object.entries(constants.signals).find(([, number]) => number === -Number(code))?.[0];
  const how = signal === 'SIGKILL' ? KILLED : `by ${signal}`;
  return `One of the processes that train the model together, the one of rank ${rank}, ended ${how}. The others were ended with it.`;
}
