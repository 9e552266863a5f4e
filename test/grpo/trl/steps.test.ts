import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GRPOConfig } from '../../../kernel/grpo';
import { readSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { relativeError } from '../../models/pythonPeer';
import {
  generationFixture,
  generationFixtures,
  fixtureTrainer,
  loadModel,
  shuffleOrders,
  type GenerationFixture,
} from '../completionFixtures';
import { base, folder, lossTypes, peer, snakeCase } from './peer';

interface Case {
  args: GRPOConfig;
  /** Train an adapter that was trained before, instead of all weights. */
  lora?: boolean;
  generations?: GenerationFixture[];
  evaluation?: GenerationFixture;
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
  const generations = own ?? generationFixtures(args, 10);
  const model = await loadModel(folder, lora);
  const adapter = lora ? peer.path('adapter') : null;
  if (adapter) await model.savePretrained(adapter);
  const trainer = fixtureTrainer(model, args, generations, evaluation);
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
    evaluation: generationFixture(50, 2, 4),
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
      const generations = rewardSets.map((rewards, i) => ({ ...generationFixture(i + 20, 2, 4), rewards }));
      await compareWithTrl({ args: { multiObjectiveAggregation, scaleRewards, rewardWeights: [1, 0.5] }, generations });
    });
  }
}
