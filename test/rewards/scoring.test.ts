import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnoseSignal } from '../../kernel/rewards/diagnosis';
import type { RewardFunction, Sample } from '../../kernel/rewards/sample';
import { RewardError, scoreSamples, weightedSum } from '../../kernel/rewards/scoring';
import { nothingExtracted, sample } from './samples';

const reward = (name: string, score: unknown, weight = 1) => ({ name, score: score as RewardFunction, weight });

test('functions score each sample; null is left out of the sum', async () => {
  const table = await scoreSamples(
    [
      reward('returns', ({ episode }: Sample) => episode && episode.return),
      reward('length', async ({ completionIds }: Sample) => completionIds.length, 0.5),
      reward('never', () => null),
    ],
    [sample(), nothingExtracted],
  );
  assert.deepEqual(table.names, ['returns', 'length', 'never']);
  assert.deepEqual(table.values, [
    [2, null],
    [3, 3],
    [null, null],
  ]);
  assert.deepEqual(weightedSum(table), [3.5, 1.5]);
});

test('a completion to which no function applies has no sum', async () => {
  const table = await scoreSamples([reward('never', () => null)], [sample()]);
  assert.deepEqual(weightedSum(table), [null]);
});

test('what is not a reward is an error that names function, sample, value and what is expected', async () => {
  const wrong: Array<[unknown, RegExp]> = [
    [undefined, /"wrong" returned undefined for sample 1 of 2 .*finite number, or null.*every branch end in a return/],
    [NaN, /"wrong" returned NaN for sample 1/],
    [Infinity, /"wrong" returned Infinity for sample 1/],
    ['3', /"wrong" returned the string "3" for sample 1/],
    [true, /"wrong" returned true for sample 1.*Number\(…\)/],
    [[1], /"wrong" returned an object \(Array\)/],
  ];
  for (const [value, message] of wrong) {
    const scores = scoreSamples(
      [reward('wrong', (s: Sample) => (s.code === null ? value : 1))],
      [sample(), nothingExtracted],
    );
    await assert.rejects(scores, (error: RewardError) => {
      assert.match(error.message, message);
      assert.equal(error.functionName, 'wrong');
      assert.equal(error.sampleIndex, 1);
      return error instanceof RewardError;
    });
  }
});

test('an exception is passed on with its cause, and a null episode is pointed out', async () => {
  const scores = scoreSamples(
    [reward('careless', ({ episode }: Sample) => episode!.return)],
    [sample(), nothingExtracted],
  );
  await assert.rejects(scores, (error: RewardError) => {
    assert.match(
      error.message,
      /"careless" threw on sample 1 of 2 .*TypeError: .*null.*No strategy could be extracted/,
    );
    return error.cause instanceof TypeError;
  });
});

test('a pending function does not hold up an interruption', async () => {
  const controller = new AbortController();
  const scores = scoreSamples([reward('hangs', () => new Promise(() => {}))], [sample()], {
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(new Error('interrupted')), 10);
  await assert.rejects(scores, /interrupted/);
});

test('the diagnosis says which functions tie a group', async () => {
  const samples = ['a', 'b', 'c', 'd'].map((completion) => sample({ completion }));
  const score = (values: Array<number | null>) => (s: Sample) => values['abcd'.indexOf(s.completion)];
  const diagnose = async (...functions: Array<[string, Array<number | null>, number?]>) =>
    diagnoseSignal(
      await scoreSamples(
        functions.map(([name, values, weight]) => reward(name, score(values), weight)),
        samples,
      ),
      samples,
      2,
    );

  assert.deepEqual(await diagnose(['works', [1, 2, 3, 4]]), []);
  assert.deepEqual(await diagnose(['works', [1, 1, 3, 4]], ['wins', [null, null, 1, 1]]), [
    'no signal: all 2 completions get 1: works gives each 1, wins applies to none',
  ]);
  assert.deepEqual(await diagnose(['works', [1, 2, 3, 4]], ['short', [2, 1, 0, 0]]), [
    'no signal: all 2 completions get 3: works and short differ but their weighted sum does not',
  ]);
  assert.deepEqual(await diagnose(['works', [null, null, 3, 4]]), [
    'no signal: no reward function applies to any of 2 completions',
  ]);

  const same = [sample(), sample()];
  const [text] = diagnoseSignal(await scoreSamples([reward('works', () => 1)], same), same, 2);
  assert.match(text, /because they are the same text\. Raise the temperature/);
});
