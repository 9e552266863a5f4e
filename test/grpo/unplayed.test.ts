import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setCellContext } from '../../kernel/display/cellContext';
import { openenv } from '../../kernel/environments';
import type { GRPOConfig, TrainingStep } from '../../kernel/grpo';
import { capRewards, groupAdvantages } from '../../kernel/grpo/advantages';
import { resolveConfig } from '../../kernel/grpo/config';
import { GRPOTrainer } from '../../kernel/grpo/trainer';
import type { RolloutEnvironment } from '../../kernel/rollout';
import { normalizedReturn, type RewardFunction, type Sample } from '../../kernel/rewards';
import { freshModel, quietHost } from './fixtures';

let env: RolloutEnvironment;
before(async () => {
  process.env.JOYLAB_CACHE = '';
  quietHost();
  env = await openenv('game2048');
});

const completion = (body: string) => '```ts\nfunction strategy(state) {\n  ' + body + '\n}\n```';
const left = completion('return "LEFT";');
const down = completion('return "DOWN";');
const random = completion('return state.legal_actions[0];');
const silent = 'I would rather not.';
const jump = completion('return "JUMP";');
const cheat = completion('return require("fs") ? "LEFT" : "UP";');

/** A run in which the model writes what is given, step by step. */
async function run(
  steps: string[][],
  rewardFuncs: RewardFunction[],
  args: GRPOConfig = {},
): Promise<{ results: TrainingStep[]; events: string[]; trainer: GRPOTrainer }> {
  const model = await freshModel();
  const generate = model.generate.bind(model);
  const left = steps.map((texts) => texts.map((text) => model.tokenizer.encode(text)));
  model.generate = async (options) => {
    const sequences = left.shift()!;
    const { logprobs } = await generate({ ...options, numReturnSequences: sequences.length, maxNewTokens: 1 });
    return {
      sequences,
      logprobs: sequences.map((ids) => new Float32Array(ids.length).fill(logprobs[0][0])),
      terminated: sequences.map(() => true),
    };
  };
  const results: TrainingStep[] = [];
  const settings = {
    maxSteps: steps.length,
    numGenerations: steps[0].length,
    perDeviceTrainBatchSize: steps[0].length,
    maxEpisodeSteps: 20,
    maxCompletionLength: 60,
    ...args,
  };
  const prompt = [{ prompt: 'p' }];
  const trainer = new GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    env,
    rewardFuncs,
    trainDataset: prompt,
    args: settings,
    onStep: (step) => void results.push(step),
  });
  const events: string[] = [];
  setCellContext({
    console: true,
    display: (bundle) =>
      void (/^step \d+: /.test(String(bundle['text/plain'])) && events.push(String(bundle['text/plain']))),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  await trainer.train();
  quietHost();
  await trainer.dispose();
  return { results, events, trainer };
}

/** As in a notebook that was written for a game without negative scores: silence costs less than losing. */
function score({ code, episode }: Sample): number {
  return code === null ? -3 : episode && !episode.failed ? episode.return - 2000 : -1;
}

test('what did not play counts no more than the worst of its group that did', () => {
  const unplayed = [true, false, false, true, true, true, false, true];
  assert.deepEqual(capRewards([5, 1, 2, null, 5, 6, -3, -9], 4, unplayed), [1, 1, 2, 1, -3, -3, -3, -9]);
  assert.deepEqual(
    capRewards([5, null, null, 4], 4, [true, false, false, true]),
    [5, null, null, 4],
    'nothing to compare with',
  );
  assert.deepEqual(capRewards([5, 1], 2, null), [5, 1], "TRL's rewards");
  assert.deepEqual(
    capRewards([null, -2, -1], 3, [false, true, false]),
    [null, -2, -1],
    'what the environment could not play has no reward',
  );
});

test('in both ways of adding rewards up, and nowhere without an environment', () => {
  const table = {
    names: ['plays', 'length'],
    weights: [1, 1],
    values: [
      [0, -20, -21, -19],
      [1, 0.3, 0.2, 0.1],
    ],
  };
  for (const multiObjectiveAggregation of ['sum_then_normalize', 'normalize_then_sum'] as const) {
    const settings = resolveConfig({ numGenerations: 4, multiObjectiveAggregation });
    assert.ok(groupAdvantages(table, settings)[0] > 0, 'silence is the best');
    const capped = groupAdvantages(table, settings, [true, false, false, false]);
    assert.equal(capped[0], Math.min(...capped));
    assert.ok(capped[0] < 0);
  }
});

test('a run does not learn silence; its metrics stay, and the chart says what happens', async () => {
  const group = [random, silent, left, jump, cheat, random];
  const {
    results: [step],
    events,
    trainer: { recentRollouts },
  } = await run([group], [score]);
  assert.deepEqual(step.rewards.values[0].slice(3, 5), [-1, -1], 'the functions are not touched');
  assert.equal(step.metrics['rewards/score/mean'], step.metrics.reward);
  const { advantages, samples } = step;
  assert.deepEqual(
    samples.map(({ episode }) => episode?.end.reason ?? null),
    ['truncated', null, 'truncated', 'invalid_action', null, 'truncated'],
  );
  const worst = Math.min(advantages[0], advantages[2], advantages[5]);
  for (const i of [1, 3, 4]) assert.equal(advantages[i], worst);
  assert.deepEqual(
    Array.from(recentRollouts.batches().at(-1)!.advantages(step.rewards)),
    Array.from(advantages),
    'scored again it is the same',
  );
  assert.equal(events.length, 1);
  assert.match(
    events[0],
    /^step 1: the best rewards of a group go to completions that did not play: -1 \(1 without a function, 1 not allowed, 1 failed\), and -1\d\d\d at most to the 3 that did\. They count as the worst that did \(capUnplayed\)\./,
  );

  const {
    results: [off],
    events: told,
  } = await run([group], [score], { capUnplayed: false });
  assert.ok(
    Math.min(...[1, 3, 4].map((i) => off.advantages[i])) > Math.max(...[0, 2, 5].map((i) => off.advantages[i])),
    'as in TRL',
  );
  assert.match(told[0], /So silence is learned: set capUnplayed to true\./);
});

test('a problem is told when it comes, not while it stays', async () => {
  const constant = [left, left, down, jump];
  const mixed = [left, down, random, silent];
  const { events } = await run(
    [constant, constant, mixed, constant, [silent, silent, jump, silent]],
    [normalizedReturn],
    { seed: 3 },
  );
  assert.equal(events.length, 3, events.join('\n'));
  assert.match(
    events[0],
    /^step 1: all 3 programs of a group that played are constant: always LEFT 2, DOWN 1 \(always \w+ gets [\d.]+\)\. .*raise temperature or entropyCoef/,
  );
  assert.equal(events[1], 'step 5: no signal: all 4 completions get -1: normalizedReturn gives each -1');
  assert.match(events[2], /^step 5: none of 4 completions of a group played: 3 without a function, 1 failed\./);
});

test('samples carry the reference, measured at the steps of an episode; without it no reward has a scale', async () => {
  const {
    results: [step],
  } = await run([[left, random]], [normalizedReturn]);
  const { reference } = step.samples[0];
  assert.deepEqual([reference!.maxSteps, reference!.constants.length], [20, 4]);
  assert.equal(step.samples[1].reference, reference);
  const again = JSON.parse(
    JSON.stringify({ reference, episode: { ...step.samples[1].episode, return: step.samples[1].episode!.return } }),
  ) as Sample;
  assert.equal(normalizedReturn(again), step.rewards.values[0][1], 'a saved record is worth the same anywhere');
  await assert.rejects(
    run([[left, random]], [normalizedReturn], { measureReference: false }),
    /"normalizedReturn" threw on sample 0 .*the sample has no reference.*unless measureReference is false/,
  );
});
