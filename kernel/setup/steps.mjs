// Progress and subprocesses of the set-up. Plain JavaScript: it runs before
// anything is installed or compiled.
import { spawn } from 'node:child_process';

/** A failure that the user can mend: shown as one sentence, without a stack. */
export class SetupError extends Error {}

/** Runs one step of the set-up and prints its name and how long it took. */
export async function step(name, work) {
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(0)} s`;
  const live = process.stderr.isTTY;
  process.stderr.write(live ? `  ${name} …` : `  ${name} …\n`);
  const timer = live && setInterval(() => process.stderr.write(`\r  ${name} … ${seconds()}`), 1000);
  try {
    await work();
    process.stderr.write(`${live ? '\r' : ''}✓ ${name} (${seconds()})\x1b[K\n`.replace('\x1b[K', live ? '\x1b[K' : ''));
  } catch (error) {
    process.stderr.write(`${live ? '\r' : ''}✗ ${name}\n`);
    throw error;
  } finally {
    if (timer) clearInterval(timer);
  }
}

const NETWORK = /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ENETUNREACH|name resolution|NewConnectionError|ConnectTimeoutError|Network is unreachable|No address associated|from versions: none/i;
const DISK = /ENOSPC|No space left on device/i;

/** Runs a command quietly; when it fails, the end of its output is in the error. */
export function runQuietly(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = chunk => { output = (output + chunk).slice(-20000); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', error => reject(new SetupError(`${command} could not be started: ${error.message}`)));
    child.on('close', code => (code === 0 ? resolve(output) : reject(failure(command, args, code, output))));
  });
}

function failure(command, args, code, output) {
  if (DISK.test(output)) return new SetupError('The disk is full: free some space (about 3 GB are needed) and run the command again.');
  if (NETWORK.test(output)) return new SetupError('The package registry cannot be reached: connect to the network (set-up needs it once) and run the command again.');
  const tail = output.trim().split('\n').slice(-15).join('\n');
  return new SetupError(`\`${[command, ...args].join(' ')}\` failed (exit code ${code}):\n${tail}`);
}
