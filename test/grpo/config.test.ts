import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig, type GRPOConfig } from '../../kernel/grpo/config';
import { learningRateAt } from '../../kernel/training/scheduler';
import { deriveSeed, permutation } from '../../kernel/training/seeds';
import { changeText } from '../../kernel/training/settings';

const invalid = (config: object) => () => resolveConfig(config as GRPOConfig);

test('defaults are those of TRL', () => {
  const {
    learningRate,
    beta,
    epsilon,
    lossType,
    scaleRewards,
    numGenerations,
    temperature,
    maxGradNorm,
    numIterations,
  } = resolveConfig();
  assert.deepEqual(
    { learningRate, beta, epsilon, lossType, scaleRewards, numGenerations, temperature, maxGradNorm, numIterations },
    {
      learningRate: 1e-6,
      beta: 0,
      epsilon: 0.2,
      lossType: 'dapo',
      scaleRewards: 'group',
      numGenerations: 8,
      temperature: 1,
      maxGradNorm: 1,
      numIterations: 1,
    },
  );
});

test('an unknown setting is answered with the nearest valid name', () => {
  assert.throws(invalid({ learningrate: 1 }), /no setting learningrate\. Did you mean learningRate\?/);
  assert.throws(invalid({ num_generations: 4 }), /Did you mean numGenerations\?/);
  assert.throws(invalid({ maxStep: 4 }), /Did you mean maxSteps\?/);
  assert.throws(invalid({ zebra: 4 }), /The settings are: maxSteps, .*seed/);
  assert.throws(invalid({ use_vllm: true }), /Did you mean useVllm\?/);
  for (const name of ['constructor', 'toString', '__proto__'])
    assert.throws(invalid({ [name]: 1 }), new RegExp(`no setting ${name}\\. `));
});

test('options of generation are checked by name, and those that the trainer sets are refused', () => {
  resolveConfig({ generationKwargs: { stopStrings: ['\n'], doSample: false } });
  assert.throws(
    invalid({ generationKwargs: { temprature: 1 } }),
    /GRPOConfig: generationKwargs has no option temprature\. Did you mean temperature\?/,
  );
  assert.throws(
    invalid({ generationKwargs: { no_repeat_ngram_size: 2 } }),
    /no option no_repeat_ngram_size: it is not supported/,
  );
  for (const name of ['seed', 'inputIds', 'numReturnSequences'])
    assert.throws(invalid({ generationKwargs: { [name]: 3 } }), /the trainer sets it/);
});

test('a wrong value is answered with the valid ones', () => {
  assert.throws(invalid({ maxSteps: 0 }), /maxSteps must be a whole number above 0, or -1, not 0\./);
  assert.throws(invalid({ numGenerations: 1 }), /numGenerations must be a whole number from 2, not 1/);
  assert.throws(invalid({ learningRate: '1e-4' }), /learningRate must be a number from 0, not "1e-4"/);
  assert.throws(invalid({ temperature: NaN }), /temperature must be a number above 0, not NaN/);
  assert.throws(invalid({ lossType: 'ppo' }), /must be one of "grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo"/);
  assert.throws(invalid({ topP: 1.5 }), /a number above 0 to 1/);
  assert.throws(invalid({ perDeviceTrainBatchSize: 12, numGenerations: 8 }), /not a multiple of numGenerations = 8/);
  assert.throws(() => resolveConfig(null as unknown as GRPOConfig), /the settings of GRPOConfig are an object/);
});

test('settings that do not fit together are answered with what to do', () => {
  assert.throws(
    invalid({ generationBatchSize: 8, stepsPerGeneration: 2 }),
    /give generationBatchSize or stepsPerGeneration, not both/,
  );
  assert.throws(
    invalid({ generationBatchSize: 12, perDeviceTrainBatchSize: 8 }),
    /generationBatchSize = 12 is not a multiple of perDeviceTrainBatchSize = 8/,
  );
  assert.throws(
    invalid({ syncRefModel: true }),
    /with beta = 0 there is no reference model\. Give beta a value above 0/,
  );
  assert.throws(
    invalid({ perDeviceEvalBatchSize: 8, numGenerationsEval: 3 }),
    /not a multiple of numGenerationsEval = 3/,
  );
  assert.throws(
    invalid({ lrSchedulerType: 'cosine', lrSchedulerKwargs: { num_cycles: 2 } }),
    /there is no num_cycles\. Did you mean numCycles\?/,
  );
  assert.throws(
    invalid({ lrSchedulerType: 'linear', lrSchedulerKwargs: { power: 2 } }),
    /'linear': there is no power\. There are no settings of this schedule/,
  );
  assert.throws(invalid({ lrSchedulerType: 'cosine_with_min_lr' }), /give either minLr or minLrRate/);
  assert.throws(invalid({ lrSchedulerType: 'warmup_stable_decay' }), /give numDecaySteps/);
  assert.throws(
    invalid({ lrSchedulerType: 'warmup_stable_decay', lrSchedulerKwargs: { numDecaySteps: 2, decayType: 'step' } }),
    /decayType must be one of "linear", "cosine", "1-sqrt", not "step"/,
  );
  assert.throws(
    invalid({ lrSchedulerType: 'polynomial', learningRate: 1e-8 }),
    /lrEnd \(1e-7\) must be below learningRate/,
  );
  assert.throws(
    invalid({ loggingSteps: 1.5 }),
    /loggingSteps must be a whole number from 1, or a fraction .*, not 1\.5/,
  );
});

test('every setting of TRL that Joylab does not have says why, or what to do instead', () => {
  const said: Array<[string, RegExp]> = [
    ['vllm_structured_outputs_regex', /trl vllm-serve/],
    ['vllmImportanceSamplingCap', /vllmImportanceSamplingMode/],
    ['fsdp', /several GPUs/],
    ['activation_checkpointing', /gradientCheckpointing: true is all/],
    ['log_level', /trainer\.logHistory/],
    ['trackio_space_id', /TRACKIO_SPACE_ID/],
    ['push_to_hub', /model\.savePretrained\(folder\), then .*hf upload/],
    ['model_init_kwargs', /FastLanguageModel\.fromPretrained/],
    ['disable_dropout', /set loraDropout to 0/],
    ['maxPromptLength', /shorten the prompt/],
    ['strategySeconds', /it is now strategyTimeLimit\./],
    ['reward_seconds', /it is now rewardTimeLimit\./],
  ];
  for (const [name, reason] of said) assert.throws(invalid({ [name]: true }), reason);
});

test("a setting that the model's back end has not is answered with those that have it", () => {
  const place = { backend: 'trl', numProcesses: 1 } as const;
  assert.throws(
    invalid({ optim: 'adamw_8bit' }),
    /GRPOConfig: optim is a setting of the back ends 'trl' and 'unsloth', and this model's is 'onnx': leave it out, or load the model with backend: 'trl'\./,
  );
  assert.equal(resolveConfig({ optim: 'adamw_8bit', useVllm: true, vllmMode: 'colocate' }, place).optim, 'adamw_8bit');
  assert.throws(invalid({ vllmMode: 'elsewhere' }), /vllmMode must be one of "colocate", "server"/);
  assert.throws(
    () => resolveConfig({ refinement: { imitations: 4 } }, place),
    /refinement\.imitations is a setting of the back end 'onnx', and this model's is 'trl'/,
  );
  assert.equal(resolveConfig({ refinement: true }, place).refinement!.imitations, 0);
});

test('of several processes each has its share of a step', () => {
  const { perDeviceTrainBatchSize, generationBatchSize } = resolveConfig(
    { numGenerations: 8 },
    { backend: 'trl', numProcesses: 2 },
  );
  assert.deepEqual([perDeviceTrainBatchSize, generationBatchSize], [4, 8]);
});

test('what follows from other settings is filled in', () => {
  assert.equal(resolveConfig({ numGenerations: 32 }).perDeviceTrainBatchSize, 32);
  const { stepsPerGeneration, generationBatchSize } = resolveConfig({ gradientAccumulationSteps: 3 });
  assert.deepEqual([stepsPerGeneration, generationBatchSize], [3, 24]);
  assert.equal(resolveConfig({ generationBatchSize: 64, perDeviceTrainBatchSize: 16 }).stepsPerGeneration, 4);
  assert.equal(resolveConfig({ scaleRewards: false }).scaleRewards, 'none');
  assert.equal(resolveConfig({}).outputDir, null);
  assert.equal(resolveConfig({ saveSteps: 10 }).outputDir, 'trainer_output');
  assert.equal(resolveConfig({ minP: undefined }).minP, null);
});

test('a change is told with old and new value', () => {
  const text = changeText(resolveConfig({ learningRate: 1e-3 }), resolveConfig({ learningRate: 5e-4, maxSteps: 9 }));
  assert.equal(text, 'maxSteps -1 → 9, learningRate 0.001 → 0.0005');
});

test('warm-up is given in steps or as a fraction', () => {
  const rate = (step: number, warmup: object) =>
    learningRateAt(step, 20, {
      learningRate: 1,
      lrSchedulerType: 'constant_with_warmup',
      lrSchedulerKwargs: null,
      warmupSteps: 0,
      warmupRatio: 0,
      ...warmup,
    });
  assert.equal(rate(1, { warmupSteps: 2 }), 0.5);
  assert.equal(rate(1, { warmupSteps: 0.1 }), 0.5);
  assert.equal(rate(1, { warmupRatio: 0.1 }), 0.5);
});

test('seeds differ by purpose and index, and stay the same', () => {
  const seeds = new Set<number>();
  for (let seed = 0; seed < 5; seed++) {
    for (let step = 0; step < 200; step++) {
      seeds.add(deriveSeed(seed, 'sampling', step, 0));
      seeds.add(deriveSeed(seed, 'sampling', step, 1));
      seeds.add(deriveSeed(seed, 'environment', step, 0));
    }
  }
  assert.equal(seeds.size, 3000);
  for (const seed of seeds) assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31);
  assert.equal(deriveSeed(42, 'sampling', 7, 1), deriveSeed(42, 'sampling', 7, 1));
});

test('a permutation holds every index once, in an order of its seed', () => {
  const order = permutation(100, 5);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.notDeepEqual(order, permutation(100, 6));
  assert.deepEqual(order, permutation(100, 5));
});
