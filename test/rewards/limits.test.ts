import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { RewardFunction, Sample } from '../../kernel/rewards/sample';
import { RewardError, score, scoreSamples } from '../../kernel/rewards/scoring';
import { sample } from './samples';

let server: Server;
let url: string;
before(async () => {
  server = createServer((_, response) => response.end('good')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

const samples = ['a', 'b', 'c'].map((completion) => sample({ completion }));
const named = (name: string, score: unknown, more = {}) => ({
  name,
  score: score as RewardFunction,
  weight: 1,
  ...more,
});
const backtracks = () => Number(/^(a+)+$/.test(`${'a'.repeat(40)}!`));
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const recurse = (): number => {
  try {
    return recurse();
  } finally {
    recurse();
  }
};

/** Functions that never come to an end by themselves; the second sample is the first that they compute for. */
const ENDLESS: Record<string, () => unknown> = {
  'a loop': () => {
    for (;;);
  },
  'a loop that catches all': () => {
    for (;;)
      try {
        for (;;);
      } catch {}
  },
  recursion: recurse,
  'a regular expression': backtracks,
  'a promise that never settles': () => new Promise(() => {}),
  'what follows an await': async () => (await 0, backtracks()),
  'what follows .then': () => Promise.resolve().then(backtracks),
  'what follows a timer': async () => (await wait(5), backtracks()),
  'what follows an answer': async () => (await (await fetch(url)).text(), backtracks()),
  'a callback of a timer': () =>
    new Promise(() =>
      setTimeout(() => {
        for (;;);
      }, 5),
    ),
  'jobs without an end': () => {
    const go = (): Promise<unknown> => Promise.resolve().then(go);
    return go();
  },
  'a thread that sleeps': () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
};

for (const [what, endless] of Object.entries(ENDLESS)) {
  test(`${what} is ended when its time is up, and the process goes on`, { timeout: 60_000 }, async () => {
    const endlessly = ({ completion }: Sample) => (completion === 'a' ? 1 : endless());
    const { table, error } = await score([named('endless', endlessly), named('quick', () => 2)], samples, {
      timeLimit: 0.2,
    });
    assert.match(
      error!.message,
      /^Reward function "endless" took more than 0\.2 s on sample 1 of 3 .*raise rewardTimeLimit in GRPOConfig.*@reward timeLimit=600/,
    );
    assert.equal(error!.sampleIndex, 1);
    assert.deepEqual([table.names, table.values], [['quick'], [[2, 2, 2]]]);
    await wait(20);
    assert.equal(await (await fetch(url)).text(), 'good');
  });
}

test('a function has its own time, and each call all of it', async () => {
  const slow = () => {
    for (const end = performance.now() + 60; performance.now() < end; );
    return 1;
  };
  const many = Array.from({ length: 8 }, () => sample());
  const table = await scoreSamples([named('slow', slow, { timeLimit: 0.2 })], many, { timeLimit: 0.02 });
  assert.deepEqual(table.values, [many.map(() => 1)]);
  const error = await scoreSamples(
    [named('slow', () => new Promise(() => {}), { timeLimit: 0.05, source: 'Cell [3], line 2' })],
    samples,
    { timeLimit: 60 },
  ).catch((it: unknown) => it);
  assert.ok(error instanceof RewardError);
  assert.match(
    error.message,
    /took more than 0\.05 s on sample 0 .*it is in Cell \[3\], line 2\..*raise its own: \/\*\* @reward timeLimit=600/,
  );
});

test('async functions wait together, each with its own sample', async () => {
  let [running, most] = [0, 0];
  const score = async ({ completion }: Sample) => {
    most = Math.max(most, ++running);
    await wait(20);
    running--;
    return completion.charCodeAt(0);
  };
  assert.deepEqual((await scoreSamples([named('waits', score)], samples)).values, [[97, 98, 99]]);
  assert.equal(most, 3);
});

test('what follows the scoring has no time limit', async () => {
  await scoreSamples([named('waits', async () => (await wait(5), 1))], samples, { timeLimit: 0.1 });
  for (const end = performance.now() + 300; performance.now() < end; );
  await null;
});
