import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stopwatch } from '../../kernel/common/threads/processorTime';

/** Computes, however long that takes on a busy machine. */
function compute(milliseconds: number): void {
  const start = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(start);
    if (user + system >= milliseconds * 1000) return;
  }
}

/** As a thread that loses the processor to others. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** What is measured of `work`, which follows work that is not measured; the least of some tries, as other programs run, too. */
function measured(before: number, work: () => void): number {
  const tries = [1, 2, 3, 4, 5].map(() => {
    const stopwatch = new Stopwatch();
    sleep(60); // the last reading is old
    stopwatch.start();
    stopwatch.start();
    compute(before);
    stopwatch.start();
    work();
    return stopwatch.elapsed;
  });
  return Math.min(...tries);
}

test('a thread that loses the processor is not charged with what it computed before', () => {
  assert.ok(measured(30, () => sleep(80)) < 5);
  assert.ok(measured(0, () => sleep(80)) < 5);
});

test('what is computed is measured, to the millisecond after the first look', () => {
  const work = (): void => compute(40);
  assert.ok(measured(0, work) > 10);
  const stopwatch = new Stopwatch();
  stopwatch.start();
  compute(3);
  const first = stopwatch.elapsed;
  const start = process.cpuUsage();
  compute(20);
  const { user, system } = process.cpuUsage(start);
  assert.ok(Math.abs(stopwatch.elapsed - first - (user + system) / 1000) < 8);
});

test('a limit is passed by what is computed alone', () => {
  const stopwatch = new Stopwatch();
  stopwatch.start();
  sleep(50);
  assert.equal(stopwatch.exceeds(20), false);
  compute(60);
  for (let i = 0; i < 20 && !stopwatch.exceeds(20); i++) compute(5);
  assert.equal(stopwatch.exceeds(20), true);
});
