import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KERNEL_MARK } from '../kernelMark';

/*
 * A program of its own. It ends the processes that the cells of a kernel have
 * started and that are left when the kernel has ended, in whatever way.
 *
 *     node reaper.js ID PID [SESSION]
 *
 * ID is the value of KERNEL_MARK, PID was the kernel's, SESSION is that of the
 * child that the kernel waited for. Processes that were started with
 * `detached: true` have sessions of their own and no mark.
 */

/** Milliseconds that processes have to end after SIGTERM, after which the attempt is given up, and between two attempts. */
const GRACE = 500;
const GIVE_UP = 10_000;
const INTERVAL = 40;

interface Process {
  pid: number;
  parent: number;
  group: number;
  session: number;
}

async function reap(id: string, kernel: number, sessions: number[]): Promise<void> {
  // The kernel's end may take a while: then this process has another parent.
  while (process.ppid === kernel) await sleep(INTERVAL);
  const began = performance.now();
  const passed = (): number => performance.now() - began;
  // A kernel that is the first process of a container takes the others with it.
  const theirs = new Set(kernel === 1 ? sessions : [kernel, ...sessions]);
  const asked = new Set<number>();
  // None must be left twice: one may start another while the list is read.
  for (let none = 0; none < 2 && passed() < GIVE_UP; await sleep(INTERVAL)) {
    const left = leftovers(id, theirs);
    none = left.length === 0 ? none + 1 : 0;
    for (const pid of left) {
      if (passed() >= GRACE) signal(pid, 'SIGKILL');
      else if (!asked.has(pid)) {
        asked.add(pid);
        signal(pid, 'SIGTERM');
        signal(pid, 'SIGCONT');
      }
    }
  }
}

function leftovers(id: string, sessions: Set<number>): number[] {
  const all = hasProc() ? processesOfProc() : processesOfPs();
  const found = new Set(
    all
      .filter((it) => sessions.has(it.session) || sessions.has(it.group) || isMarked(it.pid, id))
      .map(({ pid }) => pid),
  );
  // And what these have started.
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  found.delete(process.pid);
  return [...found];
}

function hasProc(): boolean {
  return existsSync('/proc/self/stat');
}

function processesOfProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, 'latin1');
        // The name before it may have spaces and brackets.
        const [state, parent, group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
        return 'ZX'.includes(state)
          ? []
          : [{ pid: Number(name), parent: Number(parent), group: Number(group), session: Number(session) }];
      } catch {
        return []; // It has just ended.
      }
    });
}

/** Returns the processes of systems without /proc, which show groups and not environment variables. */
function processesOfPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=', '-o', 'ppid=', '-o', 'pgid=', '-o', 'stat='], {
    encoding: 'latin1',
  })
    .trim()
    .split('\n');
  return lines.flatMap((line) => {
    const [pid, parent, group, state] = line.trim().split(/\s+/);
    return state.startsWith('Z')
      ? []
      : [{ pid: Number(pid), parent: Number(parent), group: Number(group), session: Number(group) }];
  });
}

function isMarked(pid: number, id: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${KERNEL_MARK}=${id}\0`);
  } catch {
    return false; // Another user's, or ended.
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended, or is another user's.
  }
}

const [id, kernel, ...sessions] = process.argv.slice(2);
void reap(id, Number(kernel), sessions.map(Number));
