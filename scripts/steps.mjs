// Progress and subprocesses of the set-up. Plain JavaScript: it runs before
// anything is installed or compiled.
import { spawn } from 'node:child_process';

/** A failure that the user can mend: shown as one sentence, without a stack. */
export class SetupError extends Error {}

/** Start of each running step, by name. */
const underWay = new Map();

/** Runs a step of the set-up and prints its name and duration. Several can run at once. */
export async function step(name, work) {
  const start = Date.now();
  const live = process.stderr.isTTY;
  const tell = (line) => process.stderr.write(live ? `\r${line}\x1b[K\n` : `${line}\n`);
  underWay.set(name, start);
  if (live) draw();
  else tell(`  ${name} …`);
  const timer = live && setInterval(draw, 1000);
  try {
    await work();
    tell(`✓ ${name} (${seconds(start)})`);
  } catch (error) {
    tell(`✗ ${name}`);
    throw error;
  } finally {
    clearInterval(timer);
    underWay.delete(name);
    if (live) draw();
  }
}

/** Draws the terminal's line of running steps. */
function draw() {
  const line = [...underWay].map(([name, start]) => `  ${name} … ${seconds(start)}`).join(' ');
  process.stderr.write(`\r${line.slice(0, process.stderr.columns - 1)}\x1b[K`);
}

function seconds(start) {
  return `${((Date.now() - start) / 1000).toFixed(0)} s`;
}

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ENETUNREACH|name resolution|NewConnectionError|ConnectTimeoutError|Network is unreachable|No address associated|from versions: none/i;
const DISK = /ENOSPC|No space left on device/i;

/** Runs a command without printing and resolves to its output. Rejects with a SetupError that has the end of the output. */
export function runQuietly(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new SetupError(`${command} could not be started: ${error.message}`)));
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(failure(command, args, code, output))));
  });
}

function failure(command, args, code, output) {
  if (DISK.test(output))
    return new SetupError('The disk is full: free some space (about 3 GB are needed) and run the command again.');
  if (NETWORK.test(output))
    return new SetupError(
      'The package registry cannot be reached: connect to the network (set-up needs it once) and run the command again.',
    );
  const tail = output.trim().split('\n').slice(-15).join('\n');
  return new SetupError(`\`${[command, ...args].join(' ')}\` failed (exit code ${code}):\n${tail}`);
}
