import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../eventually';
import { TestKernel } from './client';

/**
 * Returns code that starts children in all ways. They sleep for `time`, by which they
 * are found; those that are to stay for `stays`.
 */
const START = (time: string, stays: string): string => `
import { exec, execFile, execSync, spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';
const [TIME, STAYS] = ['${time}', '${stays}'];
for (let i = 0; i < 20; i++) spawn('sh', ['-c', \`sleep \${TIME} & sleep \${TIME}\`]);
exec(\`sleep \${TIME}\`);
execFile('sleep', [TIME]);
spawn(\`sleep \${TIME}\`, { shell: true, stdio: 'ignore' });
spawn('sleep', [TIME], { stdio: 'inherit', env: { PATH: process.env.PATH } });
spawn('env', ['-i', '/bin/sleep', TIME]);
spawn('sh', ['-c', \`(sleep \${TIME} &)\`]);
spawn('setsid', ['sleep', TIME]);
spawn('sh', ['-c', \`setsid sh -c 'sleep \${TIME} & sleep \${TIME}' &\`]);
spawn('sh', ['-c', \`trap "" TERM HUP INT; sleep \${TIME}; sleep \${TIME}\`]);
spawn('sh', ['-c', \`sleep \${TIME} & kill -STOP $$; sleep \${TIME}\`]);
new Worker("const { spawn } = require('child_process'); const [time, stays] = require('worker_threads').workerData; spawn('sleep', [time]); spawn('sleep', [stays], { detached: true, stdio: 'ignore' }).unref();", { eval: true, workerData: [TIME, STAYS] });
spawn('sleep', [STAYS], { detached: true, stdio: 'ignore' }).unref();
spawn('sh', ['-c', \`sleep \${STAYS} & sleep \${STAYS}\`], { detached: true, stdio: 'ignore' }).unref();
`;
/** Numbers of started processes: 40 and one for each other way, two for some; and of those that stay. */
const STARTED = 52;
const STAYING = 4;

export const WAIT = 'execSync(`sleep ${TIME} & env -i /bin/sleep ${TIME} & sleep ${TIME}`);';
/** Processes of {@link WAIT}. */
const WAITED = 3;

let count = 0;

/**
 * Tests that what cells have started ends with the kernel, and that what is detached stays.
 *
 * @param how the kernel ends
 * @param last what the cell does at its end: nothing, or {@link WAIT}
 */
export function testLeftovers(how: string, last: string, end: (kernel: TestKernel) => unknown): void {
  test(`what cells have started ends with the kernel when ${how}; what is detached stays`, {
    skip: process.platform !== 'linux',
  }, async () => {
    const [time, stays] = [`300.${process.pid}${++count}1`, `300.${process.pid}${count}2`];
    const kernel = await TestKernel.start();
    try {
      const id = kernel.send('shell', 'execute_request', { code: START(time, stays) + last });
      const expected = STARTED + (last ? WAITED : 0);
      await eventually(
        () => sleeping(time).length === expected && sleeping(stays).length === STAYING,
        () => `${expected} and ${STAYING} processes: there are ${sleeping(time).length} and ${sleeping(stays).length}`,
      );
      if (!last) await kernel.finish(id);
      await end(kernel);
      await eventually(
        () => sleeping(time).length === 0,
        () => `their end: ${sleeping(time).length} are left`,
      );
      assert.equal(sleeping(stays).length, STAYING);
    } finally {
      for (const pid of [...sleeping(time), ...sleeping(stays)]) process.kill(pid, 'SIGKILL');
      await kernel.stop();
    }
  });
}

/** Returns the processes that sleep for `time`. */
function sleeping(time: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!(pid > 0)) return false;
      try {
        return (
          /sleep$/.test(readFileSync(`/proc/${pid}/comm`, 'latin1').trim()) &&
          readFileSync(`/proc/${pid}/cmdline`, 'latin1').endsWith(`\0${time}\0`)
        );
      } catch {
        return false;
      }
    });
}
