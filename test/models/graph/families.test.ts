import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FastLanguageModel, type CausalLM } from '../../../kernel/models';
import { seededRandom } from '../../../kernel/common/random';
import { readSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { AdamW } from '../../../kernel/training/update/adamw';
import { ModelUpdate } from '../../../kernel/training/update/modelUpdate';
import { neg, sumAll } from '../../../kernel/onnx/operators/arithmetic';
import { maxDifference, PythonPeer, relativeError } from '../pythonPeer';

const peer = new PythonPeer('models/graph/families_peer.py');
after(() => peer.close());

/** Checkpoints that transformers writes: settings of its configuration classes, by their names. */
const checkpoints: Record<string, { model_type: string; [setting: string]: unknown }> = {
  'Llama, grouped-query attention, head of its own': { model_type: 'llama', tie_word_embeddings: false },
  'Llama with a padding token': { model_type: 'llama', pad_token_id: 11, tie_word_embeddings: true },
  'Llama, tied head, biases everywhere': {
    model_type: 'llama',
    tie_word_embeddings: true,
    attention_bias: true,
    mlp_bias: true,
  },
  'Llama, llama3 rope': {
    model_type: 'llama',
    rope_parameters: {
      rope_type: 'llama3',
      rope_theta: 500,
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    },
  },
  'Llama, llama3 rope as older files have it': {
    model_type: 'llama',
    edit: {
      rope_parameters: null,
      rope_theta: 500,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 32,
      },
    },
  },
  'Llama, linear rope': { model_type: 'llama', rope_parameters: { rope_type: 'linear', rope_theta: 1000, factor: 4 } },
  'Llama, linear rope as the oldest files have it': {
    model_type: 'llama',
    edit: { rope_parameters: null, rope_scaling: { type: 'linear', factor: 3 } },
  },
  'Llama, dynamic rope': {
    model_type: 'llama',
    rope_parameters: { rope_type: 'dynamic', rope_theta: 1000, factor: 4 },
  },
  'Llama, yarn rope': {
    model_type: 'llama',
    rope_parameters: { rope_type: 'yarn', rope_theta: 1000, factor: 4, original_max_position_embeddings: 32 },
  },
  'Llama, yarn rope, every parameter': {
    model_type: 'llama',
    head_dim: 16,
    rope_parameters: {
      rope_type: 'yarn',
      rope_theta: 1000,
      factor: 4,
      original_max_position_embeddings: 32,
      beta_fast: 4,
      beta_slow: 0.5,
      mscale: 0.7,
      mscale_all_dim: 1.2,
      truncate: false,
    },
  },
  'Llama, yarn rope with an attention factor': {
    model_type: 'llama',
    rope_parameters: {
      rope_type: 'yarn',
      rope_theta: 1000,
      factor: 4,
      original_max_position_embeddings: 32,
      attention_factor: 1.3,
    },
  },
  'Llama, float16, sharded': { model_type: 'llama', dtype: 'float16', max_shard_size: '20KB' },
  'Mistral, bfloat16': { model_type: 'mistral', sliding_window: null, dtype: 'bfloat16' },
  Qwen2: { model_type: 'qwen2', tie_word_embeddings: true },
  'Qwen2, yarn rope, untied': {
    model_type: 'qwen2',
    tie_word_embeddings: false,
    edit: {
      rope_parameters: null,
      rope_theta: 1000,
      rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
    },
  },
  Qwen3: { model_type: 'qwen3', tie_word_embeddings: true },
  'Qwen3, untied, head size of its own': {
    model_type: 'qwen3',
    tie_word_embeddings: false,
    head_dim: 20,
    attention_bias: true,
  },
  SmolLM3: { model_type: 'smollm3', no_rope_layer_interval: 2 },
  'SmolLM3, listed layers': {
    model_type: 'smollm3',
    no_rope_layers: [0, 1, 0],
    tie_word_embeddings: false,
    mlp_bias: true,
  },
  'SmolLM3, a window on the layers without rope': {
    model_type: 'smollm3',
    no_rope_layers: [1, 0, 1],
    use_sliding_window: true,
    sliding_window: 100,
  },
  Gemma: { model_type: 'gemma', num_key_value_heads: 1 },
  'Gemma 2': {
    model_type: 'gemma2',
    query_pre_attn_scalar: 12,
    attn_logit_softcapping: 3.5,
    final_logit_softcapping: 5.5,
  },
  'Gemma 2, no caps': { model_type: 'gemma2', attn_logit_softcapping: null, final_logit_softcapping: null },
  'Gemma 3': {
    model_type: 'gemma3_text',
    query_pre_attn_scalar: 12,
    layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
  },
  'Gemma 3, rope as older files have it': {
    model_type: 'gemma3_text',
    layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
    edit: {
      rope_parameters: null,
      layer_types: null,
      sliding_window_pattern: 2,
      rope_theta: 5000,
      rope_local_base_freq: 100,
      rope_scaling: { rope_type: 'linear', factor: 8 },
    },
  },
};

const random = seededRandom(3);
const tokens = (length: number) => Array.from({ length }, () => Math.floor(random.next() * 64));
const ids = tokens(70);
// Token 11 is a padding token in one of the checkpoints: PyTorch does not train its embedding.
const prompt = [...tokens(20), 11, 5];
const completions = [9, 1, 14, 6].map(tokens);

async function load(folder: string): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: peer.path(folder) })).model;
}

/** An adapter of every linear layer that changes something. */
function adapted(model: CausalLM): CausalLM {
  const peft = FastLanguageModel.getPeftModel(model, { r: 3, loraAlpha: 6 });
  for (const { data } of peft.trainableParameters().values())
    data.forEach((_, i) => (data[i] = 0.5 * (random.next() - 0.5)));
  return peft;
}

/** Gradients of the completions' negative log-likelihood, as the optimizer gets them. */
async function gradients(model: CausalLM): Promise<Map<string, Float32Array>> {
  const original = AdamW.prototype.step;
  let seen = new Map<string, Float32Array>();
  AdamW.prototype.step = (all) => void (seen = new Map([...all].map(([name, data]) => [name, data.slice()])));
  try {
    const update = await ModelUpdate.create(model, {
      objective: { inputs: [], build: ({ logprobs }) => ({ loss: neg(sumAll(logprobs)) }) },
    });
    await update.step(
      { promptIds: [prompt], completionIds: completions, promptOf: completions.map(() => 0), tokens: {} },
      0,
    );
    await update.dispose();
  } finally {
    AdamW.prototype.step = original;
  }
  return seen;
}

/** Completions in a batch for which products with weights are computed in another order than for one. */
const MANY = 9;

/** The model's greedy completions are those that its logits name. */
async function assertGreedy(model: CausalLM, maxNewTokens: number): Promise<void> {
  const { sequences } = await model.generate({
    inputIds: ids,
    doSample: false,
    maxNewTokens,
    eosTokenId: null,
    numReturnSequences: MANY,
  });
  const [logits] = await model.logits([[...ids, ...sequences[0]]]);
  const { vocabSize } = model.config;
  for (const sequence of sequences) assert.deepEqual(sequence, sequences[0]);
  sequences[0].forEach((token, i) => {
    const row = logits.subarray((ids.length - 1 + i) * vocabSize, (ids.length + i) * vocabSize);
    // Where two are as good as equal either may be chosen.
    assert.ok(row[token] >= Math.max(...row) - 1e-4, `token ${i}`);
  });
}

for (const [name, settings] of Object.entries(checkpoints)) {
  test(`${name}: logits, completion and gradients of transformers`, async () => {
    const files: string[] = await peer.call('make_model', { folder: peer.path(name), ...settings });
    assert.equal(files.includes('model.safetensors.index.json'), 'max_shard_size' in settings);
    const model = await load(name);
    const peft = adapted(model);
    await peft.savePretrained(peer.path(`${name}-adapter`));
    const out = peer.path('compare.safetensors');
    const greedy: number[] = await peer.call('compare', {
      folder: peer.path(name),
      ids,
      prompt,
      completions,
      out,
      adapters: [peer.path(`${name}-adapter`)],
    });
    const expected = readSafetensors(out);

    const [logits] = await model.logits([ids]);
    assert.ok(
      maxDifference(logits, expected.get('logits')!.data) <= 1e-4,
      `logits: ${maxDifference(logits, expected.get('logits')!.data)}`,
    );
    for (const numReturnSequences of [1, MANY]) {
      const { sequences } = await model.generate({
        inputIds: ids,
        doSample: false,
        maxNewTokens: 20,
        eosTokenId: null,
        numReturnSequences,
      });
      for (const sequence of sequences) assert.deepEqual(sequence, greedy);
    }
    const [adaptedLogits] = await peft.logits([ids]);
    assert.ok(maxDifference(adaptedLogits, expected.get('lora logits')!.data) <= 1e-4, 'logits with an adapter');
    // So few tokens are generated without merging the adapter, more with it merged.
    for (const maxNewTokens of [20, 40]) await assertGreedy(peft, maxNewTokens);

    for (const [kind, trained] of [
      ['full', model],
      ['lora', peft],
    ] as const) {
      const found = await gradients(trained);
      const names = [...expected.keys()].filter((key) => key.startsWith(`${kind} `) && key !== 'lora logits');
      assert.deepEqual([...found.keys()].sort(), names.map((key) => key.slice(5)).sort());
      for (const [parameter, gradient] of found) {
        const error = relativeError(gradient, expected.get(`${kind} ${parameter}`)!.data);
        assert.ok(error <= 1e-4, `${kind} gradient of ${parameter}: relative error ${error}`);
      }
    }
    await model.dispose();
    await peft.dispose();
  });
}

test('SmolLM3: the window that no layer_types mention limits the length, as the layers beyond it would see less', async () => {
  const make = async (folder: string, edit: object) => {
    await peer.call('make_model', {
      folder: peer.path(folder),
      model_type: 'smollm3',
      no_rope_layers: [1, 0, 1],
      edit: { layer_types: null, ...edit },
    });
    const { maxSeqLength } = await load(folder);
    return maxSeqLength;
  };
  assert.equal(await make('windowed', { use_sliding_window: true, sliding_window: 40 }), 40);
  assert.equal(
    await make('no layer', { use_sliding_window: true, sliding_window: 40, no_rope_layers: [1, 1, 1] }),
    128,
  );
  assert.equal(await make('off', { use_sliding_window: false, sliding_window: 40 }), 128);
});

const LONG = {
  model_type: 'llama',
  std: 0.05,
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 6,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 32,
  max_position_embeddings: 2048,
};

/** Rope that stretches 256 positions to 2,048. */
const stretched: Record<string, object> = {
  llama3: {
    rope_type: 'llama3',
    rope_theta: 500000,
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 256,
  },
  yarn: { rope_type: 'yarn', rope_theta: 10000, factor: 8, original_max_position_embeddings: 256 },
};

for (const [type, rope_parameters] of Object.entries(stretched)) {
  test(`a larger model with ${type} rope, far beyond the original context: logits of transformers`, async () => {
    const folder = `long ${type}`;
    await peer.call('make_model', { folder: peer.path(folder), ...LONG, rope_parameters });
    const sequence = tokens(1700);
    const out = peer.path('long.safetensors');
    await peer.call('logits', { folder: peer.path(folder), ids: sequence, out });
    const expected = readSafetensors(out).get('logits')!.data;
    const model = await load(folder);
    const [logits] = await model.logits([sequence]);
    assert.ok(Math.max(...expected) > 1, 'the logits say something');
    assert.ok(maxDifference(logits, expected) <= 1e-4, `logits: ${maxDifference(logits, expected)}`);
    await model.dispose();
  });
}
