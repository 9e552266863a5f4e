// Processes that tests leave behind: servers, kernels, browsers. They are known
// by a variable that all processes of a run inherit. Linux alone tells the
// variables of others; elsewhere nothing is found.
import * as fs from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const NAME = 'JOYLAB_TEST_RUN';
/** Milliseconds in which processes that a test has ended must be gone. */
const TIMEOUT = 10_000;

/** Marks the processes that this one starts afterwards. */
export function markProcesses() {
  process.env[NAME] = String(process.pid);
}

/** Ends marked processes that still run after {@link TIMEOUT}. Resolves to their command lines. */
export async function endLeftovers() {
  for (const end = Date.now() + TIMEOUT; marked().length > 0 && Date.now() < end; ) await wait(200);
  const left = marked();
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  return left.map(({ pid, command }) => `${command} (process ${pid})`);
}

function marked() {
  const mark = `${NAME}=${process.pid}\0`;
  return pids().flatMap((pid) => {
    try {
      // What has ended and is only not yet collected has no command line.
      const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      return command && fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark) ? [{ pid, command }] : [];
    } catch {
      return [];
    }
  });
}

function pids() {
  if (!fs.existsSync('/proc/self/environ')) return [];
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid);
}
