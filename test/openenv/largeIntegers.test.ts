import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openenv } from '../../kernel';
import { code } from './faultyServer';
import { startPythonServer } from './pythonServer';

test("OpenEnv's own server gets and gives integers of any size, digit by digit; what JSON does not have is not sent", async () => {
  const garden = await startPythonServer({ second: true });
  try {
    const env = await openenv(garden.url);
    for (const [wait, day] of [
      [2n ** 63n + 1n, 2n ** 63n + 1n],
      [-(2n ** 80n), -(2n ** 80n)],
      [2 ** 60, 2n ** 60n],
      [7n, 7],
      [2n ** 53n - 1n, 2 ** 53 - 1],
    ]) {
      await env.reset();
      await env.step({ wait });
      assert.equal((await env.state()).day, day);
    }
    await assert.rejects(env.step({ wait: NaN }), code('VALIDATION_ERROR', /The action cannot be sent: wait is NaN/));
    await assert.rejects(env.step({ wait: 0.5 }), code('VALIDATION_ERROR', /wait: Input should be a valid integer/));
    await env.close();
  } finally {
    await garden.stop();
  }
});
