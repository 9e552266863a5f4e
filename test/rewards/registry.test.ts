import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setCellContext, type MimeBundle } from '../../kernel/display/cellContext';
import { groupAdvantages } from '../../kernel/grpo/advantages';
import type { RolloutBatch } from '../../kernel/rewards/recent';
import { RewardRegistry, type RewardChange } from '../../kernel/rewards/registry';
import type { RewardFunction, Sample } from '../../kernel/rewards/sample';
import { scoreSamples } from '../../kernel/rewards/scoring';
import { episode, nothingExtracted, sample } from './samples';

let shown: MimeBundle[];
let registry: RewardRegistry;

beforeEach(() => {
  shown = [];
  setCellContext({
    display: (bundle) => void shown.push(bundle),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  registry = new RewardRegistry();
});

const works = ({ code }: Sample) => (code === null ? -2 : 1);
const score = ({ episode }: Sample) => episode && episode.return;

/** Plays nothing: samples with returns 0, 1, 2 … in groups, scored with the registry's functions. */
async function remember(step: number, groups: number, groupSize: number): Promise<RolloutBatch> {
  const samples = Array.from({ length: groups * groupSize }, (_, i) =>
    i === 0 ? nothingExtracted : sample({ step, episode: episode(Array(i).fill(1)), completion: `completion ${i}` }),
  );
  const table = await scoreSamples(registry.list(), samples);
  const settings = {
    numGenerations: groupSize,
    scaleRewards: 'group',
    multiObjectiveAggregation: 'sum_then_normalize',
  } as const;
  const batch = { step, samples, groupSize, table, advantages: (t: typeof table) => groupAdvantages(t, settings) };
  registry.recentRollouts.add(batch);
  return batch;
}

test('functions keep their order and place; changes are announced', async () => {
  const changes: RewardChange[] = [];
  const stop = registry.on('change', (change) => changes.push(change));
  await registry.register('works', works);
  await registry.register('score', score, { weight: 0.2 });
  await registry.register('works', () => 0, { weight: 3 });
  assert.deepEqual(
    registry.list().map(({ name, weight }) => [name, weight]),
    [
      ['works', 3],
      ['score', 0.2],
    ],
  );
  assert.equal(registry.unregister('works'), true);
  assert.equal(registry.unregister('works'), false);
  stop();
  registry.clear();
  assert.deepEqual(
    changes.map(({ kind, name }) => `${kind} ${name}`),
    ['added works', 'added score', 'replaced works', 'removed works'],
  );
  assert.equal(shown.length, 0, 'nothing to compare before the first rollouts');
});

test('wrong registrations are refused with what to do', () => {
  assert.throws(() => registry.register('', works), /needs a name/);
  assert.throws(() => registry.register('x', 3 as unknown as RewardFunction), /"x" is not a function/);
  assert.throws(
    () => registry.register('x', works, { weight: NaN }),
    /weight of the reward "x" must be a finite number/,
  );
});

test('a replaced function scores the last rollouts, old beside new', async () => {
  await registry.register('works', works);
  await registry.register('score', score);
  await remember(4, 2, 4);
  const result = (await registry.register('score', (s) => s.episode && s.episode.return ** 2))!;
  assert.equal(result.samples.length, 8);
  assert.deepEqual(
    result.samples.map(({ before }) => before),
    [null, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.deepEqual(
    result.samples.map(({ after }) => after),
    [null, 1, 4, 9, 16, 25, 36, 49],
  );
  // By hand: the second group had 5, 6, 7, 8 and has 17, 26, 37, 50.
  const std = Math.sqrt((15.5 ** 2 + 6.5 ** 2 + 4.5 ** 2 + 17.5 ** 2) / 3);
  assert.ok(Math.abs(result.samples[4].advantageBefore! - -1.5 / (Math.sqrt(5 / 3) + 1e-4)) < 1e-6);
  assert.ok(Math.abs(result.samples[4].advantageAfter - -15.5 / (std + 1e-4)) < 1e-6);
  assert.deepEqual([result.before.mean, result.after.mean, result.groups], [4, 20, 2]);

  assert.equal(shown.length, 1);
  const html = shown[0]['text/html'] as string;
  assert.match(html, /score changed: the last 8 rollouts, scored again without playing/);
  assert.doesNotMatch(html, /color|background/);
  assert.match(shown[0]['text/plain'] as string, /groups with zero spread +0 of 2 +0 of 2/);

  // The next comparison is with these scores.
  const again = (await registry.register('score', score))!;
  assert.deepEqual(
    again.samples.map(({ before }) => before),
    [null, 1, 4, 9, 16, 25, 36, 49],
  );
});

test('a new function has no old score, and groups without spread are counted', async () => {
  await registry.register('works', () => 1);
  await remember(1, 2, 4);
  const result = (await registry.register('score', score))!;
  assert.equal(result.samples[1].before, undefined);
  assert.equal(result.before.groupsWithoutSpread, 2);
  assert.equal(result.after.groupsWithoutSpread, 0);
  assert.match(shown[0]['text/plain'] as string, /groups with zero spread +2 of 2 +0 of 2/);
});

test('a function that fails on the last rollouts is registered, and the output says why', async () => {
  await registry.register('score', score);
  await remember(1, 1, 4);
  const careless: RewardFunction = (s) => s.episode!.return;
  const result = (await registry.register('score', careless))!;
  assert.equal(result.error?.functionName, 'score');
  assert.match(shown[0]['text/html'] as string, /could not be scored again.*threw on sample 0 of 4/s);
  assert.equal(registry.get('score')!.score, careless);
  // The kept scores are still those of the function before.
  assert.deepEqual(registry.recentRollouts.batches()[0].table.values, [[null, 1, 2, 3]]);
});

test('only the newest groups are kept', async () => {
  await registry.register('works', works);
  for (let step = 1; step <= 12; step++) await remember(step, 1, 4);
  assert.deepEqual(
    registry.recentRollouts.batches().map(({ step }) => step),
    [5, 6, 7, 8, 9, 10, 11, 12],
  );
  await remember(12, 1, 4);
  assert.equal(registry.recentRollouts.sampleCount, 32);
  await remember(13, 10, 4);
  assert.equal(registry.recentRollouts.sampleCount, 40, 'a step alone may exceed the limit');
});

test('256 samples are scored again and shown at once', async () => {
  await registry.register('works', works);
  await registry.register('score', score);
  for (let step = 1; step <= 8; step++) await remember(step, 1, 32);
  const started = performance.now();
  const result = (await registry.register('score', (s) => s.episode && s.episode.return / 5))!;
  const spent = performance.now() - started;
  assert.equal(result.samples.length, 256);
  assert.equal(result.samples[1].sample.step, 8, 'newest first');
  assert.ok(spent < 10_000, `${spent} ms`);
});

test('what the model wrote cannot break out of the table', async () => {
  await registry.register('works', works);
  const batch = await remember(1, 1, 2);
  batch.samples[1] = sample({ code: 'function strategy(state) { return "<img src=x onerror=alert(1)>"; }' });
  await registry.register('works', () => 0);
  assert.doesNotMatch(shown[0]['text/html'] as string, /<img/);
});
