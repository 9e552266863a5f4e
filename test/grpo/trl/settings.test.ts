import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../kernel/grpo/config';
import { workerSettings } from '../../../kernel/grpo/workerSettings';
import { GRPOTrainer } from '../../../kernel/grpo/trainer';
import { FastLanguageModel } from '../../../kernel/models';
import { learningRateAt, type ScheduleType } from '../../../kernel/training/scheduler';
import { folder, lossTypes, peer, snakeCase } from './peer';

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
  reportTo: { theirs: '?', ours: 'none', why: "'none', too, of which transformers makes an empty list" },
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
    // Those of a worker are TRL's own where they are not given.
    if (camel in workerSettings) assert.equal(ours[camel], undefined, camel);
    else if (own) assert.deepEqual([value, ours[camel]], [own.theirs, own.ours], `default of ${camel}: ${own.why}`);
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
      'rolloutsTotalLimit',
      'strategyTimeLimit',
      'targetKl',
      'warmupRatio',
    ],
  );
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
