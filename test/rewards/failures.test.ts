import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setCellContext, type MimeBundle } from '../../kernel/display/cellContext';
import { groupAdvantages } from '../../kernel/grpo/advantages';
import { RewardRegistry } from '../../kernel/rewards/registry';
import type { RewardFunction, Sample } from '../../kernel/rewards/sample';
import { RewardError, scoreSamples, weightedSum } from '../../kernel/rewards/scoring';
import { episode, nothingExtracted, sample } from './samples';

const text = sample({ code: null, episode: null });
const ONE_SAMPLE = /scores one sample, not a batch as in TRL/;

async function messageOf(score: unknown, samples: Sample[] = [text, text]): Promise<string> {
  const error = await scoreSamples([{ name: 'f', weight: 1, score: score as RewardFunction }], samples).catch(
    (it: unknown) => it,
  );
  assert.ok(error instanceof RewardError, String(error));
  return error.message;
}

test('hints say what was probably meant', async () => {
  const withAnswer = [Object.assign(sample({ code: null, episode: null }), { answer: '4' })];
  const cases: Array<[unknown, RegExp, Sample[]?]> = [
    [({ completions }: any) => completions.map((c: string) => c.length), ONE_SAMPLE],
    [({ prompts, completions, ...kwargs }: any) => completions.length * kwargs.x * prompts.length, ONE_SAMPLE],
    [(completions: any) => completions.map((c: string) => c.length), ONE_SAMPLE],
    [(completions: any, kwargs: any) => completions[0].length + kwargs.answer.length, ONE_SAMPLE],
    [(samples: any) => samples.map(() => 1), ONE_SAMPLE],
    [({ completion_ids }: any) => completion_ids.length, ONE_SAMPLE],
    [({ completion }: any) => [completion.length], ONE_SAMPLE],
    [() => new Float32Array(2), ONE_SAMPLE],
    [({ completion }: any) => completion[0].content.length, /`completion` is text here, not a list of messages/],
    [(s: any) => s.prompt.at(-1).content.length, /`prompt` is text here/],
    [(prompt: any, completion: any) => completion.length + prompt, /called with one argument, the sample/],
    [
      ({ completion, anwser }: any) => Number(completion === anwser.trim()),
      /The sample has no `anwser`\. Did you mean answer\?/,
      withAnswer,
    ],
    [(s: any) => s.awnser.length, /The sample has no `awnser`\. Did you mean answer\?/, withAnswer],
    [
      ({ solution }: any) => solution.length,
      /The sample has no `solution`\. The names that it has are: prompt, completion/,
    ],
    [({ episod }: any) => episod * 2, /returned NaN .*no `episod`\. Did you mean episode\?/],
    [() => ({ score: 1 }), /an object \(Object\) .*Return the number itself/],
    [({ episode }: any) => episode.return, /`code` and `episode` are null: nothing was played/],
    [
      ({ code }: any) => code.length,
      /No strategy could be extracted from this completion/,
      [sample(), nothingExtracted],
    ],
    [
      ({ episode }: any) => episode.return,
      /This strategy was not played: `episode` is null/,
      [sample({ episode: null }), sample()],
    ],
  ];
  for (const [score, pattern, samples] of cases) assert.match(await messageOf(score, samples), pattern, String(score));
});

test('no hint where none fits', async () => {
  const cases: unknown[] = [
    () => {
      throw new RangeError('mine');
    },
    ({ completion }: any) => completion.nothing.there,
    () => JSON.parse('{'),
    ({ completion, bonus = 2 }: any) => (completion as any).missing.x * bonus,
  ];
  for (const score of cases)
    assert.match(
      await messageOf(score),
      /^Reward function "f" threw on sample 0 of 2 \(they count from 0\): \w+Error: [^.]*\. It failed on 2 of 2 samples: 0, 1\.$/,
      String(score),
    );
  assert.match(
    await messageOf(({ completion }: any) => completion.x.y, [sample(), nothingExtracted]),
    /reading 'y'\)\. It failed/,
  );
});

test('every sample that fails is named, and the others are scored', async () => {
  const many = Array.from({ length: 32 }, (_, i) => sample({ completion: String(i) }));
  let scored = 0;
  const message = await messageOf(({ completion }: Sample) => {
    scored++;
    if (Number(completion) % 10 === 3) throw new Error('no threes.');
    return 1;
  }, many);
  assert.match(
    message,
    /threw on sample 3 of 32 .*Error: no threes\. It failed on 4 of 32 samples: 3, 13, 23\.|It failed on 3 of 32 samples: 3, 13, 23\./,
  );
  assert.equal(scored, 32);
});

test('scoring again shows the others beside the samples that fail, with place and code', async () => {
  const shown: MimeBundle[] = [];
  const describeError = (error: unknown) => `\x1b[31m${(error as Error).message}\x1b[0m in Cell [4]\n> 2 | <code>`;
  setCellContext({
    display: (bundle) => void shown.push(bundle),
    signal: new AbortController().signal,
    registerCommTarget() {},
    describeError,
  });
  const registry = new RewardRegistry();
  await registry.register('score', ({ episode }) => episode && episode.return);
  for (const step of [1, 2]) {
    const samples = Array.from({ length: 4 }, (_, i) => sample({ step, episode: episode(Array(i + step).fill(1)) }));
    const settings = {
      numGenerations: 4,
      scaleRewards: 'group',
      multiObjectiveAggregation: 'sum_then_normalize',
    } as const;
    registry.recentRollouts.add({
      step,
      samples,
      groupSize: 4,
      table: await scoreSamples(registry.list(), samples),
      advantages: (table) => groupAdvantages(table, settings),
    });
  }
  const careful: RewardFunction = ({ episode }) => {
    if (episode!.return === 3) throw new Error('three');
    return episode!.return * 2;
  };
  const result = (await registry.register('score', careful))!;
  assert.deepEqual(
    result.samples.map(({ before, after, failure }) => [before, after, failure?.index]),
    [
      [2, 4, undefined],
      [3, null, 1],
      [4, 8, undefined],
      [5, 10, undefined],
      [1, 2, undefined],
      [2, 4, undefined],
      [3, null, 6],
      [4, 8, undefined],
    ],
  );
  const plain = String(shown[0]['text/plain']);
  assert.match(
    plain,
    /score changed: the last 8 rollouts[^]*⚠ 2 of the last 8 rollouts could not be scored again\.[^]*\nscore +1, 6 +threw on sample 1 of 8 .*Error: three\.[^]*three in Cell \[4\]\n> 2 \| <code>/,
    'one row for both',
  );
  assert.match(String(shown[0]['text/html']), /<pre[^>]*>three in Cell \[4\]\n&gt; 2 \| &lt;code&gt;<\/pre>/);
  assert.deepEqual(
    registry.recentRollouts.batches().map(({ table }) => weightedSum(table)),
    [
      [2, 4, null, 8],
      [4, null, 8, 10],
    ],
    'nobody knows what these are worth',
  );
  const corrected = (await registry.register('score', ({ episode }) => episode!.return * 2))!;
  assert.equal(corrected.error, null);
  assert.equal((await registry.register('score', ({ episode }) => episode!.return + episode!.return))!.changed, false);
  assert.match(String(shown[2]['text/plain']), /^score: the last 8 rollouts, scored again, as before\.$/);
});
