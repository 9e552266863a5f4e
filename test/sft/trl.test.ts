import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setCellContext } from '../../kernel/display/cellContext';
import { loadTokenizer } from '../../kernel/models/tokenizer/tokenizer';
import { readSafetensors } from '../../kernel/models/checkpoint/safetensors';
import { SFTTrainer, type SFTConfig, type SFTRow } from '../../kernel/sft';
import { resolveSFTConfig } from '../../kernel/sft/config';
import { tokenizeRow } from '../../kernel/sft/dataset';
import { makeRows } from '../../kernel/sft/packing';
import { loadModel } from '../grpo/completionFixtures';
import { PythonPeer, relativeError } from '../models/pythonPeer';
import { chatPairs, conversations, pairs, texts } from './rows';

const peer = new PythonPeer('sft/sft_peer.py');
const folder = peer.path('model');
after(() => peer.close());
before(async () => {
  setCellContext({ display() {}, signal: new AbortController().signal, registerCommTarget() {} });
  await peer.call('make_model', { folder });
});

/** TRL's names of settings. */
function snakeCase(args: SFTConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

test('every setting of TRL is one of ours, with its default, or its absence is explained', async () => {
  const theirs = await peer.call<Record<string, unknown>>('defaults');
  const ours = resolveSFTConfig() as unknown as Record<string, unknown>;
  // Documented: a run logs each step, writes nowhere unless it is told to, takes what the model takes, and holds activations.
  const own = ['loggingSteps', 'outputDir', 'maxLength', 'gradientCheckpointing'];
  const { logging_steps, max_length } = theirs;
  assert.deepEqual([logging_steps, max_length], [10, 1024]);
  for (const [name, value] of Object.entries(theirs)) {
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (!(camel in ours))
      assert.throws(
        () => resolveSFTConfig({ [camel]: value } as SFTConfig),
        new RegExp(`no setting ${camel}: `),
        camel,
      );
    else if (!own.includes(camel) && value !== '?') assert.deepEqual(ours[camel] ?? null, value, `default of ${camel}`);
  }
});

const many = Array.from({ length: 120 }, (_, i) => ({ text: `${texts[i % 10].text}${' and'.repeat(i % 13)}` }));

const preparations: Record<string, { rows: SFTRow[]; args?: SFTConfig }> = {
  texts: { rows: texts },
  'texts, cut': { rows: texts, args: { maxLength: 12 } },
  'texts of another column that end with their own token': {
    rows: texts.map(({ text }, i) => ({ story: i % 2 ? text : `${text}<eos>` })),
    args: { datasetTextField: 'story' },
  },
  'prompts and completions': { rows: pairs },
  'prompts and completions, all learned, cut': { rows: pairs, args: { completionOnlyLoss: false, maxLength: 20 } },
  'completions that are cut away': {
    rows: [{ prompt: 'so long a prompt that nothing is left of the rest', completion: 'x' }, ...pairs],
    args: { maxLength: 24 },
  },
  'tokens that merge across the border': {
    rows: [
      { prompt: 'i', completion: 'n the' },
      { prompt: 'the', completion: 're' },
      { prompt: 't', completion: 'he end' },
    ],
  },
  conversations: { rows: conversations },
  'conversations, the assistant alone': { rows: conversations, args: { assistantOnlyLoss: true } },
  'conversations as prompts and completions': { rows: chatPairs },
  'the same, the assistant alone': { rows: chatPairs, args: { assistantOnlyLoss: true } },
  'conversations with tools': {
    rows: conversations.map((row, i) => {
      const tools = [
        { type: 'function', function: { name: `look_${i}`, parameters: { type: 'object', properties: {} } } },
      ];
      return { ...row, tools: JSON.stringify(tools) };
    }),
  },
  'packed, long ones cut': { rows: many, args: { packing: true, maxLength: 40 } },
  'packed, long ones split': { rows: many, args: { packing: true, maxLength: 25, packingStrategy: 'bfd_split' } },
  'wrapped completions': { rows: pairs, args: { packing: true, maxLength: 32, packingStrategy: 'wrapped' } },
};

for (const [name, { rows, args = {} }] of Object.entries(preparations)) {
  test(`rows become the tokens that TRL makes of them: ${name}`, async () => {
    const expected = await peer.call<Array<{ input_ids: number[]; labels: number[]; seq_lengths?: number[] }>>(
      'prepare',
      { folder, rows, settings: snakeCase(args) },
    );
    const settings = resolveSFTConfig(args);
    const tokenizer = loadTokenizer(folder);
    const examples = rows.map((row, i) => tokenizeRow(row, i, tokenizer, settings));
    const ours = makeRows(examples, settings.maxLength ?? 128, settings.packing ? settings.packingStrategy : null);
    assert.deepEqual(
      ours.map((row) => ({
        input_ids: row.flatMap(({ ids }) => ids),
        labels: row.flatMap(({ ids, learned }) => ids.map((id, i) => (learned[i] ? id : -100))),
        ...(settings.packing &&
          settings.packingStrategy !== 'wrapped' && { seq_lengths: row.map(({ ids }) => ids.length) }),
      })),
      expected,
    );
  });
}

interface Case {
  rows: SFTRow[];
  args?: SFTConfig;
  /** Train an adapter that was trained before, instead of all weights. */
  lora?: boolean;
  evaluation?: SFTRow[];
}

const cases: Record<string, Case> = {
  'texts, all weights': { rows: texts },
  'texts, adapter, gradient accumulation over the end of the data': {
    rows: texts.slice(0, 7),
    args: { perDeviceTrainBatchSize: 2, gradientAccumulationSteps: 3, weightDecay: 0.1 },
    lora: true,
  },
  'prompts and completions, adapter, cosine schedule with warm-up': {
    rows: pairs,
    args: { lrSchedulerType: 'cosine', warmupSteps: 2, maxGradNorm: 0.5 },
    lora: true,
  },
  'prompts and completions, all weights, gradient accumulation': {
    rows: pairs,
    args: { perDeviceTrainBatchSize: 3, gradientAccumulationSteps: 2 },
  },
  'conversations, the assistant alone, with evaluation': {
    rows: conversations,
    args: { assistantOnlyLoss: true, evalStrategy: 'steps', evalSteps: 2, perDeviceEvalBatchSize: 4, maxLength: 64 },
    evaluation: conversations.slice(3),
  },
  'packed texts, adapter': {
    rows: many,
    args: { packing: true, maxLength: 100, perDeviceTrainBatchSize: 2 },
    lora: true,
  },
  'wrapped texts': {
    rows: many,
    args: { packing: true, packingStrategy: 'wrapped', maxLength: 50, perDeviceTrainBatchSize: 2 },
  },
  'weighted by probability': { rows: pairs, args: { lossType: 'dft', loggingSteps: 2, maxSteps: 4 } },
};

const close = (ours: number, theirs: number) => Math.abs(ours - theirs) <= 1e-3 * Math.abs(theirs) + 2e-6;

for (const [name, { rows, args: given, lora = false, evaluation }] of Object.entries(cases)) {
  test(`5 steps as TRL: ${name}`, async () => {
    const args: SFTConfig = {
      maxSteps: 5,
      perDeviceTrainBatchSize: 4,
      learningRate: 5e-3,
      trainSamplingStrategy: 'sequential',
      ...given,
    };
    const model = await loadModel(folder, lora);
    const adapter = lora ? peer.path('adapter') : null;
    if (adapter) await model.savePretrained(adapter);
    const trainer = new SFTTrainer({
      model,
      processingClass: model.tokenizer,
      trainDataset: rows,
      evalDataset: evaluation,
      args,
    });
    await trainer.train();

    const out = peer.path('trained.safetensors');
    const log = await peer.call<Array<Record<string, number>>>('train', {
      folder,
      adapter,
      rows,
      evaluation: evaluation ?? null,
      settings: snakeCase(args),
      out,
    });
    assert.deepEqual(
      trainer.logHistory.map(({ step }) => step),
      log.map(({ step }) => step),
    );
    trainer.logHistory.forEach((ours, entry) => {
      for (const [metric, theirs] of Object.entries(log[entry])) {
        if (/runtime|per_second/.test(metric)) continue;
        assert.ok(close(ours[metric], theirs), `${metric} of step ${ours.step}: ${ours[metric]}, TRL: ${theirs}`);
      }
      for (const metric of Object.keys(ours))
        assert.ok(metric in log[entry] || metric === 'step_time', `TRL does not log ${metric}`);
    });
    const expected = readSafetensors(out);
    for (const [tensor, { data }] of model.trainableParameters()) {
      const error = relativeError(data, expected.get(tensor)!.data);
      assert.ok(error <= 1e-4, `${tensor} at the end: relative error ${error}`);
    }
    await trainer.dispose();
  });
}
