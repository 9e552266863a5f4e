import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openenv } from '../../kernel/environments';
import { play, type Completion } from '../../kernel/grpo/rollouts/play';
import type { RolloutEnvironment } from '../../kernel/rollout';
import { score } from '../../kernel/rewards/scoring';
import { functionWorks, type RewardInput, type Sample } from '../../kernel/rewards';
import { quietHost } from './fixtures';

/*
 * The steps of a step on their own, as an engine calls them that has made the
 * completions elsewhere.
 */

let env: RolloutEnvironment;
before(async () => {
  quietHost();
  env = await openenv('game2048');
});

const context = () => ({
  env,
  step: 3,
  config: { maxEpisodeSteps: 20, strategyTimeLimit: 2 },
  secret: 'a secret that no strategy can guess',
  signal: new AbortController().signal,
});

function completion(code: string, environmentSeed = 7, columns = {}): Completion {
  return {
    prompt: 'Play.',
    completion: `Here:\n\`\`\`ts\n${code}\n\`\`\``,
    completionIds: [1, 2],
    columns,
    environmentSeed,
  };
}
const LEGAL = 'function strategy(state) { return state.legal_actions[0]; }';
const completions = [
  completion(LEGAL, 7, { level: 'easy' }),
  completion(LEGAL, 8, { level: 'hard' }),
  completion('function strategy() { return require("fs"); }'),
  { ...completion(''), completion: 'I would rather not.' },
  completion('function strategy() { throw new Error("no"); }'),
];

test('play makes samples of completions: strategies extracted, checked and played, each from its own start', async () => {
  const { samples, frames } = await play(completions, context());
  assert.deepEqual(
    samples.map(({ code, problems, episode }) => [code !== null, problems.length, episode?.end.reason ?? null]),
    [
      [true, 0, 'truncated'],
      [true, 0, 'truncated'],
      [true, 1, null],
      [false, 0, null],
      [true, 0, 'error'],
    ],
  );
  assert.deepEqual(
    samples.map(({ episode }) => episode?.seed),
    [7, 8, undefined, undefined, 7],
  );
  assert.equal(frames.size, 0, 'nobody asked for frames');
  const [{ prompt, completionIds, step }] = samples;
  assert.deepEqual([prompt, completionIds, step], ['Play.', [1, 2], 3]);
  assert.deepEqual(
    samples.slice(0, 3).map((sample) => (sample as Sample & { level?: string }).level),
    ['easy', 'hard', undefined],
  );
  const again = await play(completions, context());
  assert.deepEqual(
    again.samples.map(({ episode }) => episode?.actions),
    samples.map(({ episode }) => episode?.actions),
  );
});

test('without an environment strategies are extracted and checked, and nothing plays', async () => {
  const { samples } = await play(completions, { ...context(), env: null });
  assert.deepEqual(
    samples.map(({ code, problems, episode }) => [code !== null, problems.length, episode]),
    [
      [true, 0, null],
      [true, 0, null],
      [true, 1, null],
      [false, 0, null],
      [true, 0, null],
    ],
  );
});

test('score gives the rewards of each function, and what they log; the samples stay as they are', async () => {
  const { samples } = await play(completions, context());
  const before = samples.map((sample) => Object.getOwnPropertyNames(sample));
  function counts({ level, trainerState, logMetric, logExtra }: RewardInput<{ level?: string }>): number | null {
    logMetric('hard', Number(level === 'hard'));
    logExtra('level', level ?? 'none');
    return level === undefined ? null : trainerState!.globalStep;
  }
  const inputs = new Set<unknown>();
  const rewards = [
    { name: 'functionWorks', score: (sample: RewardInput) => (inputs.add(sample), functionWorks(sample)), weight: 1 },
    { name: 'counts', score: counts as (sample: RewardInput) => number | null, weight: 2 },
    { name: 'seen', score: (sample: RewardInput) => Number(inputs.has(sample)), weight: 1 },
  ];
  const { table, error, extra, metrics } = await score(rewards, samples, {
    trainerState: { globalStep: 2, maxSteps: 9 },
  });
  assert.equal(error, null);
  assert.deepEqual(table, {
    names: ['functionWorks', 'counts', 'seen'],
    weights: [1, 2, 1],
    values: [
      [1, 1, 1, -2, -0.5],
      [2, 2, null, null, null],
      // Functions that keep something by sample find it again.
      [1, 1, 1, 1, 1],
    ],
  });
  assert.deepEqual([...extra], [['level', ['easy', 'hard', 'none', 'none', 'none']]]);
  assert.deepEqual([...metrics], [['hard', [0, 1, 0, 0, 0]]]);
  assert.deepEqual(
    samples.map((sample) => Object.getOwnPropertyNames(sample)),
    before,
  );
  assert.ok(!inputs.has(samples[0]));
});

test('an interruption ends either', async () => {
  const aborted = { ...context(), signal: AbortSignal.abort(new Error('interrupted')) };
  await assert.rejects(play(completions, aborted), /interrupted/);
  const { samples } = await play(completions, context());
  await assert.rejects(
    score([{ name: 'one', score: () => 1, weight: 1 }], samples, { signal: aborted.signal }),
    /interrupted/,
  );
});
