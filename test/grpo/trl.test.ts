import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GRPOConfig } from '../../kernel/grpo';
import { resolveConfig } from '../../kernel/grpo/config';
import { GRPOTrainer } from '../../kernel/grpo/trainer';
import { FastLanguageModel } from '../../kernel/models';
import { readSafetensors } from '../../kernel/models/checkpoint/safetensors';
import type { Sample } from '../../kernel/rewards';
import { learningRateAt, type ScheduleType } from '../../kernel/training/scheduler';
import { PythonPeer, relativeError } from '../models/pythonPeer';
import {
  givenGeneration,
  givenGenerations,
  givenTrainer,
  loadModel,
  shuffleOrders,
  type GivenGeneration,
} from './given';
import { quietHost } from './runs';

const peer = new PythonPeer('grpo/trl_peer.py');
const folder = peer.path('model');
after(() => peer.close());
before(async () => {
  quietHost();
  await peer.call('make_model', { folder });
});

/** TRL's names of settings. */
function snakeCase(args: object): Record<string, unknown> {
  const words = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const convert = (value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value) ? snakeCase(value) : value;
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [words(name), convert(value)]));
}

/** Two prompts with four completions each, five steps that change the weights enough to be clipped. */
const base: GRPOConfig = {
  maxSteps: 5,
  numGenerations: 4,
  perDeviceTrainBatchSize: 8,
  maxCompletionLength: 12,
  learningRate: 5e-3,
  shuffleDataset: false,
  seed: 3,
};

interface Case {
  args: GRPOConfig;
  /** Train an adapter that was trained before, instead of all weights. */
  lora?: boolean;
  generations?: GivenGeneration[];
  evaluation?: GivenGeneration;
}

/** A metric of ours and of TRL's: three significant digits, or nothing that a float32 can tell from TRL's. */
const close = (ours: number, theirs: number) => Math.abs(ours - theirs) <= 1e-3 * Math.abs(theirs) + 2e-6;

/** Trains here and with TRL, and compares every metric of every step, and the final weights. */
async function compareWithTrl({
  args: given,
  lora = false,
  generations: own,
  evaluation,
}: Case): Promise<Array<Record<string, number>>> {
  const args = { ...base, ...given };
  const generations = own ?? givenGenerations(args, 10);
  const model = await loadModel(folder, lora);
  const adapter = lora ? peer.path('adapter') : null;
  if (adapter) await model.savePretrained(adapter);
  const trainer = givenTrainer(model, args, generations, evaluation);
  await trainer.train();
  const out = peer.path('trained.safetensors');
  const { log } = await peer.call('train', {
    folder,
    adapter,
    settings: snakeCase(args),
    generations,
    orders: shuffleOrders(args, 10),
    evaluation: evaluation ?? null,
    out,
  });
  assert.deepEqual(
    trainer.logHistory.map(({ step }) => step),
    log.map(({ step }: { step: number }) => step),
  );
  trainer.logHistory.forEach((ours, entry) => {
    for (const [name, theirs] of Object.entries<number | null>(log[entry])) {
      if (/step_time|runtime|per_second|epoch$/.test(name)) continue;
      if (theirs === null || Number.isNaN(theirs)) assert.ok(!(name in ours), `${name} is ${ours[name]}, TRL has none`);
      else assert.ok(close(ours[name], theirs), `${name} of step ${ours.step}: ${ours[name]}, TRL: ${theirs}`);
    }
    for (const name of Object.keys(ours))
      assert.ok(name in log[entry] || /step_time/.test(name), `TRL does not log ${name}`);
  });
  const expected = readSafetensors(out);
  for (const [name, { data }] of model.trainableParameters()) {
    const error = relativeError(data, expected.get(name)!.data);
    assert.ok(error <= 1e-4, `${name} at the end: relative error ${error}`);
  }
  await trainer.dispose();
  return [...trainer.logHistory];
}

const lossTypes = ['grpo', 'dr_grpo', 'dapo', 'bnpo', 'cispo', 'sapo', 'luspo', 'vespo'] as const;

for (const lossType of lossTypes) {
  for (const beta of [0, 0.1]) {
    // Of an adapter the reference is a copy, of all weights a frozen one.
    for (const lora of [true, false]) {
      test(`5 steps as TRL: ${lossType}, beta ${beta}, ${lora ? 'adapter' : 'all weights'}, two iterations`, async () => {
        const epsilonHigh = lossType === 'cispo' ? 1.05 : 0.1;
        const log = await compareWithTrl({
          args: { lossType, beta, epsilon: 0.08, epsilonHigh, numIterations: 2, temperature: 0.9 },
          lora,
        });
        const clipped = log.map((entry) => entry['clip_ratio/region_mean'] ?? entry.cispo_clip_ratio ?? NaN);
        if (lossType !== 'sapo' && lossType !== 'vespo')
          assert.ok(
            clipped.some((ratio) => ratio > 0),
            'some tokens are clipped',
          );
      });
    }
  }
}

const cases: Record<string, Case> = {
  'defaults, on-policy': { args: {} },
  'an adapter on-policy, with beta': { args: { beta: 0.1 }, lora: true },
  'gradient accumulation, dapo': { args: { gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 4 } },
  'gradient accumulation, bnpo with beta': {
    args: { lossType: 'bnpo', beta: 0.1, gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 4 },
  },
  'gradient accumulation, grpo, two iterations': {
    args: {
      lossType: 'grpo',
      gradientAccumulationSteps: 2,
      perDeviceTrainBatchSize: 4,
      numIterations: 2,
      epsilon: 0.05,
    },
  },
  'gradient accumulation, dr_grpo, luspo and others see the step once': {
    args: { lossType: 'dr_grpo', gradientAccumulationSteps: 4, perDeviceTrainBatchSize: 2 },
  },
  'several steps per generation': {
    args: { stepsPerGeneration: 4, gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 2, epsilon: 0.05 },
    lora: true,
  },
  'several generations per step': {
    args: { generationBatchSize: 4, gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 4 },
  },
  'ratios of whole completions, grpo': {
    args: { lossType: 'grpo', importanceSamplingLevel: 'sequence', epsilon: 0.01, numIterations: 2 },
  },
  'ratios of whole completions, luspo with beta': {
    args: { lossType: 'luspo', importanceSamplingLevel: 'sequence', epsilon: 0.01, beta: 0.1, numIterations: 2 },
  },
  'two-sided clipping below the clip range': { args: { delta: 1.05, epsilon: 0.1, numIterations: 2 }, lora: true },
  'two-sided clipping above the clip range': {
    args: { lossType: 'grpo', delta: 1.2, epsilon: 0.05, numIterations: 3 },
  },
  // With Adam's own epsilon a gradient that is almost 0 would move its weight by its rounding, which is another on each processor.
  'the tokens of the highest entropy': { args: { topEntropyQuantile: 0.3, adamEpsilon: 1e-6 } },
  'the tokens of the highest entropy, of each micro-batch, with beta and two iterations': {
    args: {
      topEntropyQuantile: 0.5,
      beta: 0.1,
      gradientAccumulationSteps: 2,
      perDeviceTrainBatchSize: 4,
      numIterations: 2,
      maskTruncatedCompletions: true,
    },
    lora: true,
  },
  'without truncated completions, dapo': { args: { maskTruncatedCompletions: true } },
  'without truncated completions, grpo by completion': {
    args: {
      lossType: 'grpo',
      maskTruncatedCompletions: true,
      importanceSamplingLevel: 'sequence',
      numIterations: 2,
      epsilon: 0.01,
      learningRate: 2e-3,
    },
  },
  'a reference model that follows': {
    args: { beta: 0.2, syncRefModel: true, refModelSyncSteps: 2, refModelMixupAlpha: 0.4 },
  },
  'the KL term without correction': { args: { beta: 0.2, useBiasCorrectionKl: false, numIterations: 2 } },
  'the off-policy mask': { args: { offPolicyMaskThreshold: 0.01, numIterations: 3 } },
  'an entropy bonus': { args: { entropyCoef: 0.02, gradientAccumulationSteps: 2, perDeviceTrainBatchSize: 4 } },
  'an entropy bonus that is steered': {
    args: {
      lossType: 'grpo',
      useAdaptiveEntropy: true,
      entropyCoef: 0.01,
      entropyTarget: 3.2,
      entropyCoefDelta: 0.02,
      topEntropyQuantile: 0.6,
    },
    lora: true,
  },
  'schedule, weight decay, clipping': {
    args: {
      lrSchedulerType: 'cosine',
      warmupSteps: 2,
      weightDecay: 0.1,
      maxGradNorm: 0.05,
      adamBeta2: 0.95,
      adamEpsilon: 1e-6,
      temperature: 0.7,
    },
  },
  evaluation: {
    args: { evalStrategy: 'steps', evalSteps: 2, perDeviceEvalBatchSize: 8, beta: 0.1 },
    evaluation: givenGeneration(50, 2, 4),
  },
  'log entries of several steps': { args: { maxSteps: 4, loggingSteps: 2, numIterations: 2, epsilon: 0.05 } },
};

for (const [title, one] of Object.entries(cases))
  test(`5 steps as TRL: ${title}`, async () => void (await compareWithTrl(one)));

/** Rewards that do not apply to some, to a whole group, to all; a completion without any; groups without spread. */
const rewardSets: Array<Record<string, Array<number | null>>> = [
  { first: [1, 2, 3.5, -1, 0.5, 0.25, 0.5, 0.5], second: [0.25, 0, 7, 1, 3, 2, 1, 0] },
  { first: [1, 2, null, -1, 0.5, 0.5, 0.5, 0.5], second: [0.25, null, null, 1, null, null, null, null] },
  { first: [1, 2, 4, -1, 2, 2, 2, 2], second: [null, null, null, null, null, null, null, null] },
  { first: [1, 1, 1, 1, 1, 1, 1, 1], second: [2, 2, 2, 2, 2, 2, 2, 2] },
  // One reward in a group has no spread to divide by.
  { first: [1, null, null, null, 2, 3, 4, 5], second: [null, null, null, null, 1, -1, 1, -1] },
];

for (const multiObjectiveAggregation of ['sum_then_normalize', 'normalize_then_sum'] as const) {
  for (const scaleRewards of ['group', 'batch', 'none'] as const) {
    test(`5 steps as TRL: rewards scaled by ${scaleRewards}, ${multiObjectiveAggregation}, some null`, async () => {
      const generations = rewardSets.map((rewards, i) => ({ ...givenGeneration(i + 20, 2, 4), rewards }));
      await compareWithTrl({ args: { multiObjectiveAggregation, scaleRewards, rewardWeights: [1, 0.5] }, generations });
    });
  }
}

test('a completion ends at the tokens that the model names, and at the end token of the tokenizer', async () => {
  const [named, tokenizers] = [7, 0];
  for (const eos_token_id of [named, [named, 9], tokenizers]) {
    const other = peer.path(`ends ${eos_token_id}`);
    await peer.call('make_model', { folder: other, eos_token_id });
    const ends: number[] = await peer.call('end_tokens', { folder: other });
    const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: other });
    const completions: number[][] = [];
    const rewardFuncs = ({ completionIds }: Sample) => completions.push(completionIds);
    const args = { maxSteps: 1, numGenerations: 64, maxCompletionLength: 50, seed: 5 };
    await new GRPOTrainer({
      model,
      processingClass: tokenizer,
      rewardFuncs,
      trainDataset: [{ prompt: 'w1 w2 w3' }],
      args,
    }).train();
    for (const ids of completions) {
      assert.deepEqual(
        ids.slice(0, -1).filter((id) => ends.includes(id)),
        [],
      );
      assert.ok(ids.length === 50 || ends.includes(ids.at(-1)!));
    }
    for (const end of ends)
      assert.ok(
        completions.some((ids) => ids.at(-1) === end),
        `a completion ends at ${end}`,
      );
    // Generation by itself ends as that of transformers.
    const { sequences } = await model.generate({
      ...tokenizer('w1 w2 w3'),
      numReturnSequences: 64,
      maxNewTokens: 50,
      seed: 5,
    });
    assert.equal(
      sequences.some((ids) => ids.slice(0, -1).includes(tokenizers)),
      eos_token_id !== tokenizers,
    );
    await model.dispose();
  }
});

test('a loss that does not go with the level of importance sampling is warned of where TRL warns', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const cases = lossTypes.flatMap((lossType) =>
    (['token', 'sequence'] as const).map((importanceSamplingLevel) => ({ lossType, importanceSamplingLevel })),
  );
  const expected: number[] = await peer.call('warned', { folder, cases: cases.map(snakeCase) });
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: folder });
  for (const [i, args] of cases.entries()) {
    warn.mock.resetCalls();
    new GRPOTrainer({
      model,
      processingClass: tokenizer,
      rewardFuncs: () => 0,
      trainDataset: [{ prompt: 'w1' }],
      args,
    });
    assert.equal(warn.mock.callCount(), expected[i], JSON.stringify(args));
  }
  assert.equal(expected.filter((count) => count > 0).length, 6);
});

/** Where defaults differ on purpose: TRL's, ours, and why. */
const ownDefaults: Record<string, { theirs: unknown; ours: unknown; why: string }> = {
  loggingSteps: { theirs: 10, ours: 1, why: 'the charts of a cell show each step' },
  outputDir: { theirs: 'trainer_output', ours: null, why: 'a cell writes no files unless it is told to' },
  maxCompletionLength: {
    theirs: 512,
    ours: undefined,
    why: '512, or what maxSeqLength leaves after the prompt: known once the prompts are',
  },
  gradientCheckpointing: {
    theirs: true,
    ours: false,
    why: 'models that train on a CPU have room for their activations',
  },
  numGenerationsEval: { theirs: null, ours: 8, why: "TRL's trainer fills in numGenerations, too, but later" },
};

test('every setting of TRL is one of ours, with its default, or its absence is explained', async () => {
  const theirs = await peer.call<Record<string, unknown>>('defaults');
  const ours = resolveConfig() as unknown as Record<string, unknown>;
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(theirs)) {
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    seen.add(camel);
    const own = ownDefaults[camel];
    if (own) assert.deepEqual([value, ours[camel]], [own.theirs, own.ours], `default of ${camel}: ${own.why}`);
    else if (camel in ours) assert.deepEqual(ours[camel], value, `default of ${camel}`);
    else assert.throws(() => resolveConfig({ [camel]: value }), new RegExp(`no setting ${camel}: `), camel);
  }
  assert.ok(seen.size > 150);
  // What TRL does not have: episodes and what is known of them, and a setting of transformers before version 5.
  assert.deepEqual(
    Object.keys(ours)
      .filter((name) => !seen.has(name))
      .sort(),
    [
      'capUnplayed',
      'maxEpisodeSteps',
      'measureReference',
      'refinement',
      'rewardTimeLimit',
      'strategyTimeLimit',
      'warmupRatio',
    ],
  );
});

test('transformers and PEFT read a checkpoint', async () => {
  const outputDir = peer.path('checkpoints');
  const args = { ...base, outputDir, saveSteps: 5, beta: 0.1 };
  const model = await loadModel(folder, true);
  const trainer = givenTrainer(model, args, givenGenerations(args));
  await trainer.train();
  const checkpoint = `${outputDir}/checkpoint-5`;
  const state = await peer.call('trainer_state', { path: `${checkpoint}/trainer_state.json` });
  assert.deepEqual([state.global_step, state.max_steps, state.epoch], [5, 5, 1]);
  assert.deepEqual(state.log_history, trainer.logHistory);
  const norm = Math.sqrt(
    [...model.trainableParameters().values()].reduce((sum, { data }) => sum + data.reduce((a, b) => a + b * b, 0), 0),
  );
  assert.ok(Math.abs((await peer.call<number>('load_adapter', { folder, adapter: checkpoint })) - norm) < 1e-4 * norm);
});

test('learning rates equal those of transformers', async () => {
  const schedules: Array<{ type: ScheduleType; kwargs?: Record<string, number | string> }> = [
    { type: 'linear' },
    { type: 'cosine' },
    { type: 'cosine', kwargs: { numCycles: 1.5 } },
    { type: 'cosine_with_restarts', kwargs: { numCycles: 3 } },
    { type: 'polynomial' },
    { type: 'polynomial', kwargs: { lrEnd: 1e-5, power: 2 } },
    { type: 'constant' },
    { type: 'constant_with_warmup' },
    { type: 'inverse_sqrt' },
    { type: 'inverse_sqrt', kwargs: { timescale: 7 } },
    { type: 'cosine_with_min_lr', kwargs: { minLr: 1e-4 } },
    { type: 'cosine_with_min_lr', kwargs: { minLrRate: 0.1, numCycles: 1 } },
    { type: 'cosine_warmup_with_min_lr', kwargs: { minLrRate: 0.1 } },
    { type: 'cosine_warmup_with_min_lr', kwargs: { minLr: 1e-5, warmupLrRate: 0.2 } },
    { type: 'warmup_stable_decay', kwargs: { numDecaySteps: 4 } },
    {
      type: 'warmup_stable_decay',
      kwargs: { numDecaySteps: 4, numStableSteps: 3, warmupType: 'cosine', decayType: '1-sqrt', minLrRatio: 0.1 },
    },
    { type: 'warmup_stable_decay', kwargs: { numDecaySteps: 3, warmupType: '1-sqrt', decayType: 'linear' } },
  ];
  for (const { type, kwargs = {} } of schedules) {
    for (const [warmup, total, lr] of [
      [0, 10, 1e-3],
      [3, 12, 2e-4],
    ]) {
      const theirs: number[] = await peer.call('schedule', { type, warmup, total, lr, kwargs: snakeCase(kwargs) });
      const settings = {
        learningRate: lr,
        lrSchedulerType: type,
        lrSchedulerKwargs: kwargs,
        warmupSteps: warmup,
        warmupRatio: 0,
      };
      theirs.forEach((rate, step) => {
        const ours = learningRateAt(step, total, settings);
        assert.ok(
          Math.abs(ours - rate) < 1e-12,
          `${type} ${JSON.stringify(kwargs)} step ${step}: ${ours}, transformers ${rate}`,
        );
      });
    }
  }
});
