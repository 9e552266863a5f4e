import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { FastLanguageModel, PeftModel, type CausalLM, type PeftOptions } from '../../../kernel/models';
import { seededRandom } from '../../../kernel/common/random';
import { readSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { maxDifference, PythonPeer } from '../pythonPeer';

const peer = new PythonPeer('models/graph/families_peer.py');
after(() => peer.close());

const families = ['llama', 'qwen2', 'qwen3'];
before(async () => {
  for (const model_type of families)
    await peer.call('make_model', {
      folder: peer.path(model_type),
      model_type,
      tie_word_embeddings: model_type !== 'llama',
    });
});

const ids = Array.from({ length: 30 }, (_, i) => (i * 37 + 11) % 64);
const out = () => peer.path('logits.safetensors');

async function load(folder: string): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: peer.path(folder) })).model;
}

async function assertLogits(model: CausalLM): Promise<void> {
  const [ours] = await model.logits([ids]);
  const difference = maxDifference(ours, readSafetensors(out()).get('logits')!.data);
  assert.ok(difference <= 1e-4, `logits differ by ${difference}`);
}

/** Settings of PEFT; ours are the same in camel case. */
const settings: Record<string, Record<string, unknown>> = {
  'names of modules': { r: 4, lora_alpha: 8, target_modules: ['q_proj', 'v_proj', 'down_proj'] },
  'ends of paths, rslora': {
    r: 4,
    lora_alpha: 8,
    use_rslora: true,
    target_modules: ['layers.0.self_attn.q_proj', 'mlp.up_proj', 'model.layers.2.mlp.gate_proj'],
  },
  'all linear layers': { r: 2, lora_alpha: 3, target_modules: 'all-linear' },
  'a regular expression': { r: 3, lora_alpha: 5, target_modules: '.*\\.(?P<part>self_attn|mlp)\\.(q|k|gate)_proj' },
  'ranks and alphas of their own': {
    r: 3,
    lora_alpha: 5,
    target_modules: ['q_proj', 'k_proj', 'o_proj'],
    rank_pattern: { 'layers.1.self_attn.q_proj': 6, k_proj: 2 },
    alpha_pattern: { '^model.*o_proj': 9, 'layers.[12].*k_proj': 1 },
    use_rslora: true,
  },
  'modules left out, some layers': {
    r: 2,
    lora_alpha: 2,
    target_modules: ['q_proj', 'up_proj'],
    exclude_modules: ['layers.2.mlp.up_proj'],
    layers_to_transform: [0, 2],
  },
};

const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const ours = (given: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [camelCase(name), value])) as PeftOptions;

for (const [name, given] of Object.entries(settings)) {
  test(`${name}: the layers, ranks and scales of PEFT; each loads the other's adapter, and transformers what was merged`, async () => {
    for (const family of families) {
      const theirs = `${family} ${name}`;
      await peer.call('make_adapter', {
        folder: peer.path(family),
        adapter: peer.path(theirs),
        out: out(),
        ids,
        ...given,
      });
      const loaded = await PeftModel.fromPretrained(await load(family), peer.path(theirs));
      await assertLogits(loaded);
      await loaded.savePretrainedMerged(peer.path(`${theirs} merged`));
      await peer.call('logits', { folder: peer.path(`${theirs} merged`), ids, out: out() });
      await assertLogits(loaded);

      const made = FastLanguageModel.getPeftModel(await load(family), ours(given));
      const shapes = (model: CausalLM) =>
        [...model.trainableParameters()].map(([tensor, { shape }]) => [tensor, shape]);
      assert.deepEqual(shapes(made), shapes(loaded));
      const random = seededRandom(2);
      for (const { data } of made.trainableParameters().values())
        data.forEach((_, i) => (data[i] = 0.6 * (random.next() - 0.5)));
      await made.savePretrained(peer.path(`${theirs} ours`));
      await peer.call('logits', { folder: peer.path(family), ids, out: out(), adapter: peer.path(`${theirs} ours`) });
      await assertLogits(made);
      for (const model of [loaded, made]) await model.dispose();
    }
  });
}

test("settings of PEFT's that change what an adapter computes are refused, those of a later version are named", async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const base = await load('llama');
  const folder = peer.path('settings');
  await FastLanguageModel.getPeftModel(base, { r: 2 }).savePretrained(folder);
  const path = `${folder}/adapter_config.json`;
  const written = JSON.parse(readFileSync(path, 'utf8'));
  const reload = (changes: object) => {
    writeFileSync(path, JSON.stringify({ ...written, ...changes }));
    return PeftModel.fromPretrained(base, folder);
  };
  const defaults: Record<string, unknown> = await peer.call('lora_settings');
  const others = Object.fromEntries(
    Object.entries(defaults).filter(([name]) => !(name in written) && name !== 'runtime_config'),
  );
  await reload(others);
  // Where an adapter comes from, and how it started.
  const harmless =
    /^(auto_mapping|peft_version|revision|megatron_core|\w+_ga_config|(loftq|eva|corda)_config|qalora_group_size|ensure_weight_tying)$/;
  for (const name of Object.keys(others)) {
    const wrong = reload({ [name]: { any: 1 } });
    if (harmless.test(name)) await wrong;
    else await assert.rejects(wrong, new RegExp(`${name} = {"any":1} \\(supported: `), name);
  }
  assert.equal(warn.mock.callCount(), 0);
  await reload({ use_later: false, later_config: null });
  assert.equal(warn.mock.callCount(), 0);
  await reload({ use_later: true });
  assert.match(
    warn.mock.calls[0].arguments[0],
    /adapter_config\.json: settings that are not known are ignored: use_later = true$/,
  );
});

test("an adapter shares its model's generationConfig", async () => {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });
  model.generationConfig.temperature = 0.3;
  assert.equal(FastLanguageModel.getPeftModel(model, { r: 2 }).generationConfig.temperature, 0.3);
});

test('new adapters start as PEFT starts them', async () => {
  const base = await load('llama');
  const start = (initLoraWeights: PeftOptions['initLoraWeights']) => {
    const model = FastLanguageModel.getPeftModel(base, {
      r: 16,
      targetModules: ['q_proj', 'down_proj'],
      initLoraWeights,
    });
    const values = (factor: string, width: number) =>
      [...model.trainableParameters()]
        .filter(([name, { shape }]) => name.includes(factor) && shape.includes(width))
        .flatMap(([, { data }]) => Array.from(data));
    return { a: values('lora_A', 48), b: values('lora_B', 16) };
  };
  const deviation = (values: number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  const range = (values: number[]) => Math.max(...values.map(Math.abs));
  const standard = start(true);
  // Down projections read 48 values: uniform within 1/√48.
  assert.ok(
    Math.abs(range(standard.a) - 1 / Math.sqrt(48)) < 0.002 &&
      Math.abs(deviation(standard.a) - 1 / Math.sqrt(3 * 48)) < 0.003,
  );
  assert.equal(range(standard.b), 0);
  const gaussian = start('gaussian');
  assert.ok(Math.abs(deviation(gaussian.a) - 1 / 16) < 0.003 && range(gaussian.a) > 0.15);
  assert.equal(range(gaussian.b), 0);
  const free = start(false);
  assert.ok(Math.abs(range(free.b) - 1 / 4) < 0.01 && Math.abs(deviation(free.b) - 1 / Math.sqrt(3 * 16)) < 0.005);
});
