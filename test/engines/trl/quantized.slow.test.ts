import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pythonPath } from '../../../kernel/common/packagePaths';
import { FastLanguageModel, type CausalLM, type FromPretrainedOptions } from '../../../kernel/models';
import { quietHost, temporaryFolder } from '../../grpo/fixtures';
import { readTensor, writeGptOss } from './gptOss';

// A small gpt-oss in a worker: its experts in mxfp4 and in bitsandbytes' 4 bits, on the processor.

const folder = temporaryFolder();
const shape = join(folder, 'shape');
const [merged, mxfp4] = [join(folder, 'merged'), join(folder, 'mxfp4')];
const ids = [[5, 9, 40, 21, 33, 7]];
const LINEAR = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const EXPERTS = ['mlp.experts.gate_up_proj', 'mlp.experts.down_proj'];

before(() => {
  quietHost();
  process.env.OMP_NUM_THREADS = '1';
  process.env.JOYLAB_GPU_PYTHON = pythonPath();
  writeGptOss(shape);
});

/** Loads a model. @returns it, and what was said of it */
async function load(
  modelName: string,
  options: Partial<FromPretrainedOptions> = {},
): Promise<{ model: CausalLM; said: string }> {
  const { log } = console;
  let said = '';
  console.log = (text: string) => void (said += text);
  try {
    const { model } = await FastLanguageModel.fromPretrained({ modelName, backend: 'trl', ...options });
    return { model, said };
  } finally {
    console.log = log;
  }
}

const farthest = ([a]: Float32Array[], [b]: Float32Array[]) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

/** Logits of the model that was merged, and how large they are. */
let expected: Float32Array[];
let size: number;

test("a merged gpt-oss is saved in mxfp4, by the layout of its makers' checkpoints and within the format's error", async () => {
  const { model } = await load(shape, { initWeights: 'random' });
  const peft = FastLanguageModel.getPeftModel(model, {
    r: 4,
    targetModules: LINEAR,
    targetParameters: EXPERTS,
    initLoraWeights: false,
  });
  expected = await peft.logits(ids);
  size = expected[0].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  await peft.savePretrainedMerged(merged, { dtype: 'float32' });
  await peft.savePretrainedMerged(mxfp4, { saveMethod: 'mxfp4', dtype: 'float32' });
  await peft.dispose();

  const { quantization_config: config } = JSON.parse(readFileSync(join(mxfp4, 'config.json'), 'utf8'));
  assert.equal(config.quant_method, 'mxfp4');
  assert.ok(config.modules_to_not_convert.includes('lm_head'));
  const name = 'model.layers.1.mlp.experts.gate_up_proj';
  const [blocks, scales] = saved(mxfp4, name);
  assert.deepEqual([blocks.dtype, blocks.shape], ['U8', [4, 192, 2, 16]]);
  assert.deepEqual([scales.dtype, scales.shape], ['U8', [4, 192, 2]]);
  const { bytes } = readTensor(join(merged, 'model.safetensors'), name);
  const weight = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  let [errors, squares] = [0, 0];
  numbersOf(mxfp4, name).forEach((value, at) => {
    const [row, input] = [Math.floor(at / 64), at % 64];
    const number = weight[(Math.floor(row / 192) * 64 + input) * 192 + (row % 192)];
    assert.ok(Math.abs(value - number) <= 2 * 2 ** (scales.bytes[at >> 5] - 127), `${value} for ${number}`);
    errors += (value - number) ** 2;
    squares += number ** 2;
  });
  const error = Math.sqrt(errors / squares);
  assert.ok(error > 0.01 && error < 0.13, `a relative error of ${error}`);
});

function saved(place: string, name: string) {
  return ['blocks', 'scales'].map((part) => readTensor(join(place, 'model.safetensors'), `${name}_${part}`));
}

/** What blocks and scales stand for, in their order. */
function numbersOf(place: string, name: string): Float32Array {
  const values = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
  const [{ bytes: blocks }, { bytes: scales }] = saved(place, name);
  return Float32Array.from({ length: 2 * blocks.length }, (_, at) => {
    const code = (blocks[at >> 1] >> (4 * (at & 1))) & 15;
    return (code & 8 ? -1 : 1) * values[code & 7] * 2 ** (scales[at >> 5] - 127);
  });
}

test('mxfp4 loads as numbers, near what was merged, and saved again loses nothing', async () => {
  const { model, said } = await load(mxfp4);
  assert.match(said, /The experts are mxfp4 in the file and not in memory/);
  const logits = await model.logits(ids);
  const error = farthest(logits, expected);
  assert.ok(error > 0 && error < 0.2 * size, `logits differ by ${error} of ${size}`);
  const [again, numbers] = [join(folder, 'again'), join(folder, 'numbers')];
  await model.savePretrainedMerged(again, { saveMethod: 'mxfp4', dtype: 'float32' });
  for (const layer of [0, 1])
    for (const name of EXPERTS.map((part) => `model.layers.${layer}.${part}`))
      assert.deepEqual(numbersOf(again, name), numbersOf(mxfp4, name), 'what mxfp4 can say exactly loses nothing');
  await model.savePretrainedMerged(numbers, { dtype: 'float32' });
  await model.dispose();
  const { model: plain } = await load(numbers);
  assert.ok(farthest(await plain.logits(ids), logits) < 1e-5);
  await plain.dispose();
});

test('in 4 bits the experts are, too, also where weights are made at random; what is merged are their numbers', async () => {
  const random = await load(shape, { initWeights: 'random', loadIn4bit: true });
  await random.model.dispose();
  const { model, said } = await load(merged, { loadIn4bit: true });
  // Experts and attention of two layers; the embedding and the head are as large as those.
  const sentence = /^0\.2 million of 0\.4 million parameters are held in 4 bits\.$/;
  assert.match(said, sentence);
  assert.match(random.said, sentence);
  assert.throws(
    () => FastLanguageModel.getPeftModel(model, { targetParameters: EXPERTS }),
    /PEFT adapts no experts that are held in 4 bits: leave it out, or load the model without loadIn4bit/,
  );
  const peft = FastLanguageModel.getPeftModel(model, { r: 4, targetModules: LINEAR, initLoraWeights: false });
  const logits = await peft.logits(ids);
  const numbers = join(folder, 'from4bit');
  await peft.savePretrainedMerged(numbers, { dtype: 'float32' });
  await peft.dispose();
  const { model: plain } = await load(numbers);
  assert.ok(farthest(await plain.logits(ids), logits) < 0.02 * size);
  await plain.dispose();
});

test('in 8 bits the experts are not, which is said', async () => {
  const { model, said } = await load(merged, { loadIn8bit: true });
  assert.match(said, /parameters are held in 8 bits; the experts are not: loadIn4bit holds them in 4\.$/);
  const error = farthest(await model.logits(ids), expected);
  assert.ok(error < 0.1 * size, `logits differ by ${error} of ${size}`);
  await model.dispose();
});
