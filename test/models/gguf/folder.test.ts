import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FastLanguageModel, ggufToFolder, type CausalLM } from '../../../kernel/models';
import { Metadata } from '../../../kernel/models/gguf/metadata';
import { GgufFile } from '../../../kernel/models/gguf/reader';
import { tokenizerFiles } from '../../../kernel/models/gguf/tokenizerFiles';
import { WHOLE_TOKENIZER } from '../../../kernel/models/gguf/vocabulary';
import { TextTokenizer } from '../../../kernel/models/tokenizers';
import { byteLevel, FAMILIES, sentencePiece, writeRandomModel } from './randomModel';

const folder = mkdtempSync(join(tmpdir(), 'joylab-gguf-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const TEXTS = [
  'the thing in the hall, 2048 on it',
  ' and  a\n\ttab',
  'héllo ☃ 🙂',
  '<|start|>in<|tool|>the<|end|>',
  '',
];

async function load(name: string, options: object = {}): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: join(folder, name), ...options })).model;
}

for (const [name, settings] of Object.entries(FAMILIES)) {
  test(`${name}: saved as GGUF and read into a folder, it is the same model`, async () => {
    const place = name.replace(/\W/g, '_');
    writeRandomModel(join(folder, place), settings);
    const model = await load(place);
    const file = await model.savePretrainedGguf(join(folder, `${place}-gguf`), { quantizationMethod: 'f32' });
    await ggufToFolder(file, join(folder, `${place}-back`));
    const back = await load(`${place}-back`);
    const plain = ({ config }: CausalLM) => JSON.parse(JSON.stringify(config));
    const { slidingWindow: _, padTokenId: __, ...config } = plain(back);
    const { slidingWindow: ___, padTokenId: ____, ...expected } = plain(model);
    // Norms of Gemma go through a sum with 1.
    assert.deepEqual(config, expected);
    assert.deepEqual([...back.weights.keys()].sort(), [...model.weights.keys()].sort());
    for (const [weight, { data }] of model.weights) {
      const read = back.weights.get(weight)!.data;
      assert.ok(
        data.every((value, i) => Math.abs(value - read[i]) <= (weight.includes('norm') ? 1e-7 : 0)),
        weight,
      );
    }
    for (const text of TEXTS) assert.deepEqual(back.tokenizer.encode(text), model.tokenizer.encode(text));
    const messages = [{ role: 'user', content: 'in' }];
    assert.deepEqual(back.tokenizer.applyChatTemplate(messages), model.tokenizer.applyChatTemplate(messages));
  });
}

for (const [kind, tokenizer] of Object.entries({ 'byte-level': byteLevel(), SentencePiece: sentencePiece() })) {
  test(`a ${kind} tokenizer that is made of llama.cpp's tokens and merges is the one that was saved`, async () => {
    writeRandomModel(join(folder, kind), { model_type: 'llama' }, tokenizer);
    const file = await (await load(kind)).savePretrainedGguf(join(folder, `${kind}-gguf`), {
      quantizationMethod: 'f32',
    });
    const { metadata } = new GgufFile(file);
    const withoutFile = new Map(metadata);
    withoutFile.delete(WHOLE_TOKENIZER);
    const made = new TextTokenizer(JSON.parse(tokenizerFiles(new Metadata(withoutFile, file), file).tokenizer), 'made');
    const original = new TextTokenizer(tokenizer, 'original');
    for (const text of TEXTS) {
      const ids = original.encode(text, false);
      assert.deepEqual(made.encode(text, false), ids, text);
      for (const skip of [false, true]) assert.equal(made.decode(ids, skip), original.decode(ids, skip));
    }
  });
}

test('an adapter is merged into what is saved', async () => {
  writeRandomModel(join(folder, 'lora'), { model_type: 'llama' });
  const model = FastLanguageModel.getPeftModel(await load('lora'), { r: 2 });
  for (const { data } of model.trainableParameters().values()) data.fill(0.01);
  await ggufToFolder(
    await model.savePretrainedGguf(join(folder, 'lora-gguf'), { quantizationMethod: 'f32' }),
    join(folder, 'lora-back'),
  );
  const back = await load('lora-back');
  for (const name of model.weights.keys())
    assert.deepEqual(back.weights.get(name)!.data, model.mergedWeight(name).data);
});

test('what cannot be read or written is an error that says what to do', async () => {
  writeRandomModel(join(folder, 'source'), { model_type: 'llama' });
  const model = await load('source');
  const file = await model.savePretrainedGguf(join(folder, 'source-gguf'));
  const target = join(folder, 'nowhere');
  const bytes = readFileSync(file);
  const broken = (name: string, content: Buffer) => {
    writeFileSync(join(folder, name), content);
    return ggufToFolder(join(folder, name), target);
  };
  await assert.rejects(broken('text.gguf', Buffer.from('x'.repeat(100))), /text\.gguf is not a GGUF file/);
  for (const length of [30, 1000, bytes.length >> 1, bytes.length - 40])
    await assert.rejects(broken('short.gguf', bytes.subarray(0, length)), /(?:damaged|cut short).*fetch it again/);
  const huge = Buffer.from(bytes);
  huge.writeBigUInt64LE(2n ** 60n, 8);
  await assert.rejects(broken('huge.gguf', huge), /huge\.gguf is damaged: a size is|tensors; fetch it again/);
  await assert.rejects(ggufToFolder(join(folder, 'none.gguf'), target), /there is no file .*none\.gguf/);
  await assert.rejects(
    ggufToFolder(join(folder, 'm-00002-of-00002.gguf'), target),
    /m-00001-of-00002\.gguf is missing: the model comes in 2 files/,
  );
  await assert.rejects(ggufToFolder(file, target, { dtype: 'float8' as 'float16' }), /dtype must be one of "float32"/);
  const method = { quantizationMethod: 'q4_k_m' as 'q8_0' };
  await assert.rejects(model.savePretrainedGguf(target, method), /one of "f32", "f16", .*llama-quantize/);
  await assert.rejects(load('source-gguf', { ggufFile: '../x.gguf' }), /ggufFile must be the name of a file/);
  await assert.rejects(load('source-gguf', { ggufFile: 'x.gguf' }), /GGUF files there: model\.F16\.gguf/);
  await model.savePretrainedGguf(join(folder, 'source-gguf'), { quantizationMethod: 'q8_0' });
  await assert.rejects(load('source-gguf'), /several GGUF files; give ggufFile, one of: /);
  await assert.rejects(load('source-gguf', { ggufFile: 'model.F16.gguf', loadIn4bit: true }), /leave out loadIn4bit/);
  truncateSync(file, 0);
  await assert.rejects(load('source-gguf', { ggufFile: 'model.F16.gguf' }), /is not a GGUF file \(0 bytes\)/);
});

test('models that llama.cpp computes otherwise are refused, with what it is about', async () => {
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ model_type: 'gemma3_text', query_pre_attn_scalar: 32, num_hidden_layers: 7 }, /another scale of attention/],
    [{ model_type: 'smollm3', no_rope_layers: [1, 0] }, /other layers without a rotary embedding/],
    [
      {
        model_type: 'qwen3',
        rope_scaling: {
          rope_type: 'llama3',
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 64,
        },
      },
      /no rotary embedding of type llama3/,
    ],
    [{ model_type: 'qwen3', attention_bias: true }, /no bias of q_proj/],
  ];
  for (const [settings, message] of refused) {
    writeRandomModel(join(folder, 'refused'), settings);
    await assert.rejects((await load('refused')).savePretrainedGguf(join(folder, 'refused-gguf')), message);
  }
});
