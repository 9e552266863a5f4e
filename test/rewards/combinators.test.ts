import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as joylab from '../../kernel';
import { clip, closeTo, novelty, onlyIf, ramp, survives, weight, type Sample } from '../../kernel/rewards';
import { packageRoot } from '../../kernel/common/packagePaths';
import { scoreSamples } from '../../kernel/rewards/scoring';
import { rewardSignature } from '../../kernel/grpo/rewardFuncs';
import { typescript } from '../../kernel/strategy/compile';
import { breakout, episode, nothingExtracted, sample } from './samples';

const returns = ({ episode }: Sample) => episode && episode.return;
const withReturn = (value: number, step = 1) => sample({ step, episode: episode([value]) });

test('weight and clip change the number, and leave null', () => {
  assert.deepEqual([withReturn(3), nothingExtracted].map(weight(returns, -2)), [-6, null]);
  assert.deepEqual([withReturn(-9), withReturn(0.5), withReturn(9), nothingExtracted].map(clip(returns, -1, 2)), [
    -1,
    0.5,
    2,
    null,
  ]);
});

test('ramp goes evenly from one factor to another, by the step of the sample', () => {
  const late = ramp(returns, { start: 11, end: 21 });
  assert.deepEqual(
    [1, 11, 16, 21, 99].map((step) => late(withReturn(8, step))),
    [0, 0, 4, 8, 8],
  );
  const help = ramp(returns, { end: 11, from: 1, to: 0 });
  assert.deepEqual(
    [1, 6, 11].map((step) => help(withReturn(8, step))),
    [8, 4, 0],
  );
});

test('onlyIf applies where its condition holds', () => {
  const played = ({ episode }: Sample) => episode !== null;
  const one = () => 1;
  assert.deepEqual([sample(), nothingExtracted].map(onlyIf(one, played)), [1, null]);
  assert.deepEqual([sample(), nothingExtracted].map(onlyIf(one, played, { otherwise: -1 })), [1, -1]);
});

test('closeTo gives partial credit by the distance to a target', () => {
  const near = closeTo(returns, 10, { within: 4 });
  assert.deepEqual(
    [10, 9, 12, 6, 100].map((value) => near(withReturn(value))),
    [1, 0.75, 0.5, 0, 0],
  );
  assert.equal(near(nothingExtracted), null);
});

test('novelty counts the earlier steps that had the same, however often they are scored', () => {
  const fresh = novelty();
  const [left, other] = [episode([0, 0]), episode([0, 0, 0])];
  const at = (step: number, played = left) => sample({ step, episode: played });
  for (const _ of ['scored', 'scored again']) {
    assert.deepEqual([at(1), at(1), at(1, other)].map(fresh), [1, 1, 1]);
    assert.deepEqual([at(2), at(3)].map(fresh), [1 / Math.sqrt(2), 1 / Math.sqrt(3)]);
  }
  assert.equal(fresh(sample({ episode: episode([0], { reason: 'error' }) })), 0);
  const texts = novelty(({ completion }) => completion.length);
  assert.deepEqual([sample(), sample({ step: 2 })].map(texts), [1, 1 / Math.sqrt(2)]);
});

test('async functions are combined, too', async () => {
  const later = async (it: Sample) => returns(it);
  assert.equal(await clip(weight(later, 10), 0, 5)(withReturn(3)), 5);
  assert.equal(await clip(later, 0, 5)(nothingExtracted), null);
});

test('a combination has the name of its function, and a text of its own', async () => {
  const [low, high] = [clip(survives, 0, 0.1), clip(survives, 0, 0.2)];
  assert.equal(low.name, 'survives');
  assert.equal(novelty().name, 'novelty');
  const signature = (score: typeof low) => rewardSignature([{ name: 'survives', weight: 1, score: score as never }]);
  assert.notEqual(signature(low), signature(high));
  await assert.rejects(
    scoreSamples([{ name: 'f', weight: 1, score: clip((() => undefined) as never, 0, 1) as never }], [sample()]),
    /returned undefined/,
    'what is no reward is told as without it',
  );
});

test('wrong arguments are refused with what to do', () => {
  assert.throws(() => clip(returns, 2, 1), /clip: low \(2\) must not be above high \(1\)/);
  assert.throws(() => ramp(returns, { end: 1 }), /ramp: end \(1\) must be above start \(1\)/);
  assert.throws(() => weight(returns, NaN), /weight: factor is a finite number, not NaN/);
  assert.throws(() => closeTo(returns, 1, { within: 0 }), /closeTo: within is a number above 0/);
  assert.throws(() => clip(3 as never, 0, 1), /clip: the first argument is a reward function/);
});

test('the examples of the page run', () => {
  const page = readFileSync(join(packageRoot, 'docs', 'reference', 'rewards.md'), 'utf8');
  const [, code] = /## Combinators[^]*?```ts\nimport[^\n]*\n([^]*?)```/.exec(page)!;
  const { transpileModule, ScriptTarget } = typescript();
  const javascript = transpileModule(code, { compilerOptions: { target: ScriptTarget.ES2022 } }).outputText;
  const names = [...code.matchAll(/^const (\w+)/gm)].map(([, name]) => name);
  const make = new Function(...Object.keys(joylab), `${javascript}\nreturn [${names.join(', ')}];`);
  const rewards: Array<(it: Sample) => number | null> = make(...Object.values(joylab));
  assert.deepEqual(names, ['plays', 'explores', 'lasts', 'brief']);
  const played = sample({ reference: breakout, episode: episode(Array(100).fill(1)) });
  assert.deepEqual(
    rewards.map((score) => score(played)),
    [2, 0.2, 0.1, 1 - 3 / 128],
  );
  assert.deepEqual(
    rewards.map((score) => score({ ...nothingExtracted, reference: breakout })),
    [-1, 0, null, 0],
  );
});
