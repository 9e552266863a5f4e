import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FastLanguageModel, PeftModel } from '../../../kernel/models';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../../kernel/models/checkpoint/halfPrecision';
import { readSafetensors, writeSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import type { Tensor } from '../../../kernel/onnx/tensor';

const folder = mkdtempSync(join(tmpdir(), 'joylab-checkpoint-'));
after(() => rmSync(folder, { recursive: true }));
const good = join(folder, 'good');
before(async () => {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });
  await model.savePretrainedMerged(good, { dtype: 'float16' });
});

/** Loads a copy of the good model after `damage` has been at it. */
async function loadDamaged(damage: (copy: string) => void) {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(good, copy, { recursive: true });
  damage(copy);
  return FastLanguageModel.fromPretrained({ modelName: copy });
}

const weights = 'model.safetensors';
const layers = (): number => JSON.parse(readFileSync(join(good, 'config.json'), 'utf8')).num_hidden_layers;

function editJson(path: string, changes: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
}

function editWeights(copy: string, edit: (tensors: Map<string, Tensor>) => void): void {
  const tensors = readSafetensors(join(copy, weights));
  edit(tensors);
  writeSafetensors(join(copy, weights), tensors);
}

const damages: [string, (copy: string) => void, RegExp][] = [
  ['no configuration', (copy) => rmSync(join(copy, 'config.json')), /has no config\.json/],
  [
    'a configuration that is not JSON',
    (copy) => writeFileSync(join(copy, 'config.json'), '{'),
    /config\.json is not valid JSON/,
  ],
  [
    'no weights',
    (copy) => rmSync(join(copy, weights)),
    /has neither model\.safetensors nor model\.safetensors\.index\.json/,
  ],
  [
    'weights that are cut short',
    (copy) => truncateSync(join(copy, weights), 3_000_000),
    /model\.safetensors is cut short: tensor ".*" ends at byte/,
  ],
  [
    'weights that end in the header',
    (copy) => truncateSync(join(copy, weights), 100),
    /is not a safetensors file, or is cut short \(100 bytes\)/,
  ],
  ['an empty file', (copy) => truncateSync(join(copy, weights), 0), /is not a safetensors file/],
  [
    'something else for weights',
    (copy) =>
      writeFileSync(join(copy, weights), Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('nope')])),
    /header is not valid JSON/,
  ],
  [
    'a missing tensor',
    (copy) => editWeights(copy, (t) => t.delete('model.layers.2.mlp.up_proj.weight')),
    /no tensor "model\.layers\.2\.mlp\.up_proj\.weight"/,
  ],
  [
    'a tensor of the wrong shape',
    (copy) => editWeights(copy, (t) => t.set('model.norm.weight', { shape: [3], data: new Float32Array(3) })),
    /"model\.norm\.weight" has shape \[3\], config\.json wants \[256\]/,
  ],
  [
    'a tensor too many',
    (copy) => editWeights(copy, (t) => t.set('model.extra.weight', { shape: [1], data: new Float32Array(1) })),
    /tensors that this architecture does not use: model\.extra\.weight/,
  ],
  ['no tokenizer', (copy) => rmSync(join(copy, 'tokenizer.json')), /has no tokenizer\.json/],
  [
    'another architecture',
    (copy) => editJson(join(copy, 'config.json'), { model_type: 'mamba' }),
    /model_type = "mamba" \(supported: "llama"/,
  ],
  [
    'settings that would compute something else',
    (copy) => editJson(join(copy, 'config.json'), { hidden_act: 'gelu', attention_dropout: 0.1 }),
    /attention_dropout = 0\.1 \(supported: 0, null\); hidden_act = "gelu" \(supported: "silu"/,
  ],
  [
    'a rope type that is not known',
    (copy) => editJson(join(copy, 'config.json'), { rope_parameters: null, rope_scaling: { type: 'su' } }),
    /rope_type "su" is not supported \(supported: default, linear, dynamic, llama3, yarn\)/,
  ],
  [
    'rope without its parameters',
    (copy) =>
      editJson(join(copy, 'config.json'), { rope_parameters: { rope_type: 'llama3', rope_theta: 10000, factor: 8 } }),
    /rope_type llama3 needs low_freq_factor as a positive number, not undefined/,
  ],
  [
    'weights that were saved quantised',
    (copy) => editJson(join(copy, 'config.json'), { quantization_config: { quant_method: 'bitsandbytes' } }),
    /quantization_config: its weights are saved quantised .*loadIn4bit/,
  ],
  [
    'heads that do not divide',
    (copy) => editJson(join(copy, 'config.json'), { num_key_value_heads: 3 }),
    /num_attention_heads \(4\) must be a multiple of num_key_value_heads \(3\)/,
  ],
  [
    'a layer type that is not known',
    (copy) =>
      editJson(join(copy, 'config.json'), {
        layer_types: [...Array(layers() - 2).fill('full_attention'), 'chunked_attention', 'linear_attention'],
      }),
    /layer_types with "chunked_attention", "linear_attention" \(supported: "full_attention"\)/,
  ],
  [
    'layer types of another family',
    (copy) => editJson(join(copy, 'config.json'), { layer_types: Array(layers()).fill('sliding_attention') }),
    /layer_types with "sliding_attention" \(supported: "full_attention"\)/,
  ],
  [
    'too few layer types',
    (copy) => editJson(join(copy, 'config.json'), { model_type: 'qwen2', layer_types: ['full_attention'] }),
    /layer_types has 1 entries for \d layers/,
  ],
  [
    "Gemma's caps on a Llama",
    (copy) => editJson(join(copy, 'config.json'), { attn_logit_softcapping: 50, query_pre_attn_scalar: 64 }),
    /query_pre_attn_scalar = 64, which "llama" does not have \(only "gemma2", "gemma3_text"\); attn_logit_softcapping = 50/,
  ],
  [
    'layers without rope in a family that has none',
    (copy) => editJson(join(copy, 'config.json'), { no_rope_layers: [1, 0, 1, 1] }),
    /no_rope_layers = \[1,0,1,1\], which "llama" does not have/,
  ],
  [
    'heads of odd size',
    (copy) => editJson(join(copy, 'config.json'), { head_dim: 63 }),
    /head_dim must be even, not 63/,
  ],
  [
    'sliced products',
    (copy) => editJson(join(copy, 'config.json'), { pretraining_tp: 2 }),
    /pretraining_tp = 2 \(supported: 1, null\)/,
  ],
  [
    'a wrong size',
    (copy) => editJson(join(copy, 'config.json'), { hidden_size: '256' }),
    /hidden_size must be a positive integer, not "256"/,
  ],
];

for (const [name, damage, message] of damages) {
  test(`${name} is an error that says so`, () => assert.rejects(loadDamaged(damage), message));
}

test('settings of generation_config.json that are not supported are named once', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const set = (changes: object) => (copy: string) => editJson(join(copy, 'generation_config.json'), changes);
  await loadDamaged(
    set({ no_repeat_ngram_size: 0, num_beams: 1, bad_words_ids: null, suppress_tokens: [], typical_p: 1.0 }),
  );
  assert.equal(warn.mock.callCount(), 0);
  let copy = '';
  const { model } = await loadDamaged((made) =>
    set({ no_repeat_ngram_size: 3, bad_words_ids: [[5]], typical_p: 1.0 })((copy = made)),
  );
  FastLanguageModel.getPeftModel(model);
  await FastLanguageModel.fromPretrained({ modelName: copy });
  assert.deepEqual(
    warn.mock.calls.map((call) => call.arguments[0]),
    [
      `${join(copy, 'generation_config.json')}: these settings are not supported, and generation goes on without them: no_repeat_ngram_size = 3, bad_words_ids = [[5]]`,
    ],
  );
});

test('the undamaged copy loads', async () => {
  const { model, tokenizer } = await loadDamaged(() => {});
  assert.equal(model.tokenizer, tokenizer);
});

test('a model that does not exist, or cannot be loaded as asked, is an error that says what can', async () => {
  const load = (options: object) => FastLanguageModel.fromPretrained(options as never);
  await assert.rejects(
    load({ modelName: 'unsloth nothing' }),
    /there is no model "unsloth nothing".*'joylab\/strategist'.*a model of the hub/s,
  );
  await assert.rejects(
    load({ modelName: good, loadIn4bit: true, loadIn8bit: true }),
    /loadIn4bit and loadIn8bit exclude each other/,
  );
  await assert.rejects(
    load({ modelName: good, maxSeqLength: 100000 }),
    /maxSeqLength 100000 is more than the model was made for \(\d+\)/,
  );
  const windowed = mkdtempSync(join(folder, 'windowed-'));
  cpSync(good, windowed, { recursive: true });
  editJson(join(windowed, 'config.json'), { model_type: 'mistral', sliding_window: 128 });
  assert.equal((await FastLanguageModel.fromPretrained({ modelName: windowed })).model.maxSeqLength, 128);
  await assert.rejects(
    load({ modelName: windowed, maxSeqLength: 129 }),
    /maxSeqLength 129 is more than the sliding window of this model \(128\)/,
  );
  await assert.rejects(load({ modelName: good, maxSeqLength: 0.5 }), /maxSeqLength must be a whole number from 2/);
});

test('adapters: bad settings and folders that do not fit are errors', async () => {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: good });
  const make = (options: object) => () => FastLanguageModel.getPeftModel(model, options);
  assert.throws(make({ targetModules: ['qproj'] }), /unknown qproj; valid are q_proj, k_proj/);
  assert.throws(make({ targetModules: [] }), /targetModules: empty/);
  assert.throws(make({ targetModules: ['q_proj', 'lm_head'] }), /LoRA on lm_head is not supported; valid are q_proj/);
  assert.throws(make({ targetModules: '.*proj(' }), /targetModules: Invalid regular expression/);
  assert.throws(
    make({ targetModules: 'q_proj' }),
    /"q_proj" chooses no layer; valid are .*regular expression of whole paths/,
  );
  assert.throws(
    make({ rankPattern: { q_proj: 0 } }),
    /rankPattern must be an object that gives a whole number from 1 to 65536 to names of layers, not \{"q_proj":0\}/,
  );
  assert.throws(
    make({ initLoraWeights: 'olora' }),
    /initLoraWeights must be one of true, false, "gaussian", not "olora"/,
  );
  assert.throws(make({ r: 0 }), /r must be a whole number from 1 to 65536/);
  assert.throws(make({ bias: 'all' }), /bias must be one of "none", not "all"/);
  const peft = FastLanguageModel.getPeftModel(model, { r: 2 });
  assert.throws(() => FastLanguageModel.getPeftModel(peft), /has an adapter already/);

  const adapter = join(folder, 'adapter');
  const reload = () => PeftModel.fromPretrained(model, adapter);
  await assert.rejects(reload(), /has no adapter_config\.json/);
  await peft.savePretrained(adapter);
  await reload();
  editJson(join(adapter, 'adapter_config.json'), { r: 4 });
  await assert.rejects(reload(), /has shape \[2, 256\], this model wants \[4, 256\]/);
  editJson(join(adapter, 'adapter_config.json'), { r: 2, target_modules: ['q_proj'] });
  await assert.rejects(reload(), /the adapter has tensors that are not supported/);
  editJson(join(adapter, 'adapter_config.json'), { use_dora: true, init_lora_weights: 'pissa' });
  await assert.rejects(
    reload(),
    /use_dora = true \(supported: false\); init_lora_weights = "pissa" \(supported: true, false, "gaussian"/,
  );
});

test('an unknown option is a TypeError that names the nearest valid one', async () => {
  const load = (options: object) => FastLanguageModel.fromPretrained(options as never);
  await assert.rejects(load({ modelName: good, load_in_4bit: true }), {
    name: 'TypeError',
    message: /fromPretrained has no option load_in_4bit\. Did you mean loadIn4bit\?/,
  });
  await assert.rejects(
    load({ modelName: good, deviceMap: 'auto' }),
    /no option deviceMap: where a model is follows from backend/,
  );
  await assert.rejects(load(good as never), /the options of fromPretrained are an object: \{ modelName/);
  for (const name of ['constructor', 'toString'])
    await assert.rejects(load({ modelName: good, [name]: 1 }), {
      name: 'TypeError',
      message: new RegExp(`fromPretrained has no option ${name}`),
    });
  const { model } = await load({ modelName: good });
  const peft = (options: object) => () => FastLanguageModel.getPeftModel(model, options);
  assert.throws(peft({ use_rslora: true }), {
    name: 'TypeError',
    message: /getPeftModel has no option use_rslora\. Did you mean useRslora\?/,
  });
  assert.throws(peft({ loraDropOut: 0.1 }), /Did you mean loraDropout\?/);
  assert.throws(peft({ modulesToSave: ['lm_head'] }), /no option modulesToSave: it is not supported/);
  await assert.rejects(
    model.savePretrainedMerged(join(folder, 'x'), { torchDtype: 'float16' } as object),
    /no option torchDtype: give dtype/,
  );
  await assert.rejects(
    model.savePretrainedMerged(join(folder, 'x'), model.tokenizer as object),
    /the options of savePretrainedMerged are an object/,
  );
  await assert.rejects(
    model.savePretrainedOnnx(join(folder, 'x'), { external_data: true } as object),
    /Did you mean externalData\?/,
  );
});

test('saving is refused for an unknown type', async () => {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: good });
  await assert.rejects(
    model.savePretrainedMerged(join(folder, 'x'), { dtype: 'int8' as never }),
    /dtype must be one of "float32", "float16", "bfloat16"/,
  );
});

test('every float16 value is read and written unchanged, others are rounded to the nearest', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = float16ToFloat32(all);
  const back = float32ToFloat16(values);
  back.forEach((bits, i) => assert.ok(bits === i || Number.isNaN(values[i]), `bits ${i}`));
  const round = (x: number) => float16ToFloat32(float32ToFloat16(Float32Array.of(x)))[0];
  assert.equal(round(2049), 2048);
  assert.equal(round(2051), 2052);
  assert.equal(round(0.1), 0.0999755859375);
  assert.equal(round(1e-8), 0);
  assert.equal(round(65519), 65504);
  assert.equal(round(-1e6), -Infinity);
  const brain = (x: number) => bfloat16ToFloat32(float32ToBfloat16(Float32Array.of(x)))[0];
  assert.equal(brain(1 + 2 ** -8), 1);
  assert.equal(brain(1 + 3 * 2 ** -8), 1 + 2 ** -6);
  assert.ok(Number.isNaN(brain(NaN)));
});
