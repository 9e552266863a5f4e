import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flops, median, updateProducts } from './products';
import { lines, table } from './table';
import { parseConfig } from '../../../kernel/models/config';

const config = parseConfig({
  model_type: 'llama',
  vocab_size: 10,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  tie_word_embeddings: true,
});
const sizes = { promptTokens: 3, completions: 2, tokens: 5 };

test('the operations of an update are those of its matrix products', () => {
  const rows = 3 + 2 * 4;
  const weights = 2 * (4 * 4 + 2 * 4 + 2 * 4 + 4 * 4 + 3 * 4 * 6);
  // Scores and mixture, once forward and twice backward, in two layers of two heads of size 2.
  const attention = 2 * 2 * 3 * 2 * 2 * 2 * (3 * 3 + 2 * 4 * (3 + 4));
  const head = 2 * (2 * 4 + 1) * 4 * 10;
  assert.equal(flops(updateProducts(config, { ...sizes, rank: null })), 3 * 2 * rows * weights + attention + 3 * head);
  const widths = 2 * (4 + 4 + (2 + 4) + (2 + 4) + (4 + 4) + 3 * (4 + 6));
  const adapter = 3 * 2 * rows * 2 * widths;
  assert.equal(
    flops(updateProducts(config, { ...sizes, rank: 2 })),
    2 * 2 * rows * weights + adapter + attention + 2 * head,
  );
});

test('ratios are of medians, and above 1 where we are better', () => {
  const time = (step: number, generation: number, update: number) => ({ step, generation, update, tokens: 100 });
  const measured = {
    name: 'a model',
    goals: { step: 3, generation: 3, update: 2 },
    ours: [time(2, 1, 0.5), time(90, 90, 90), time(2, 1, 0.5)],
    theirs: { bfloat16: [time(6, 4, 1.5), time(6, 4, 1.5), time(0, 0, 0)], float32: [time(5, 3, 1)] },
    memory: { ours: 1e9, theirs: { bfloat16: 3e9, float32: 1.5e9 } },
    products: { flops: 1e9, seconds: 0.4 },
  };
  assert.deepEqual(
    lines(measured).map(({ ratios }) => Object.values(ratios)),
    [[3, 2.5], [4, 3], [3, 2], [3, 1.5], [0.8]],
  );
  assert.deepEqual(
    lines(measured).map(({ met }) => met),
    [false, true, true, false, true],
  );
  assert.match(
    table(measured),
    /^a model\n *to bfloat16 +to float32 +goal .*\n *3\.00 × +2\.50 × +3\.00 × +missed +whole step +2\.00 +6\.00 +5\.00 +s\n/,
  );
  assert.match(table(measured), /\n *80 % +60 % +met +update against plain products /);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});
