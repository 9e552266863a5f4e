import { softCap } from '../onnx/operators/activations';
import { add } from '../onnx/operators/arithmetic';
import { pack, pad, type Packing } from '../onnx/operators/gather';
import { matMul } from '../onnx/operators/matmul';
import { concat, reshape, split, transpose } from '../onnx/operators/shape';
import { softmax } from '../onnx/operators/softmax';
import type { Dimension, Value } from '../onnx/value';
import type { ModelConfig } from './config';

/*
 * Heads are grouped by the key and value head that they share (grouped-query
 * attention): [kv, group, …]. The queries of a group are rows of one matrix
 * product with their common keys. Names of dimensions below: P tokens of the
 * prompt, N completions of T tokens.
 */

/** Keys and values of a prompt by head: [kv, P, headSize] each. */
export interface PromptHeads {
  keys: Value;
  values: Value;
}

/** Rows of keys or values [P, kv · headSize] by head: [kv, P, headSize]. */
export function promptHeads(config: ModelConfig, rows: Value): Value {
  const split = reshape(rows, [rows.shape[0], config.numKeyValueHeads, config.headSize]);
  return transpose(split, [1, 0, 2]);
}

/** Causal attention within a prompt: queries [P, heads · headSize]; `mask` [P, P] is 0 or very negative. */
export function promptAttention(config: ModelConfig, queries: Value, prompt: PromptHeads, mask: Value): Value {
  const { kv, group, size, width } = headShape(config);
  const P = queries.shape[0];
  const byHead = reshape(transpose(reshape(queries, [P, kv, group, size]), [1, 2, 0, 3]), [kv, 'group*P', size]);
  const scores = matMul(byHead, prompt.keys, { transB: true, alpha: config.attentionScale });
  const weights = softmax(add(cap(config, reshape(scores, [kv, group, P, P])), mask));
  const mixed = matMul(reshape(weights, [kv, 'group*P', P]), prompt.values);
  return reshape(transpose(reshape(mixed, [kv, group, P, size]), [2, 0, 1, 3]), [P, width]);
}

/** What completions need besides their rows: where they lie, and who sees whom. */
export interface CompletionLayout {
  packing: Packing;
  /** [T, T], 0 or very negative. */
  mask: Value;
}

/**
 * Attention of completions to their common prompt and causally to themselves.
 * Rows of all completions are packed: queries [rows, heads · headSize], keys
 * and values [rows, kv · headSize]. The prompt's keys are read by all
 * completions in one product, and its gradient gathers theirs.
 */
export function completionAttention(
  config: ModelConfig,
  rows: { queries: Value; keys: Value; values: Value },
  prompt: PromptHeads,
  { packing, mask }: CompletionLayout,
): Value {
  const { kv, group, size, width } = headShape(config);
  const [N, T] = packing.toPadded.shape;
  const P = prompt.keys.shape[1];
  const alpha = config.attentionScale;
  const ownHeads = (x: Value) => transpose(reshape(pad(x, packing), [N, T, kv, size]), [2, 0, 1, 3]);

  const grouped = transpose(reshape(pad(rows.queries, packing), [N, T, kv, group, size]), [2, 0, 3, 1, 4]);
  const forPrompt = reshape(grouped, [kv, 'N*group*T', size]);
  const forOwn = reshape(grouped, [kv, N, 'group*T', size]);

  const full: Dimension[] = [kv, N, group, T];
  const promptScores = reshape(matMul(forPrompt, prompt.keys, { transB: true, alpha }), [...full, P]);
  const ownScores = reshape(matMul(forOwn, ownHeads(rows.keys), { transB: true, alpha }), [...full, T]);
  const weights = softmax(concat([cap(config, promptScores), add(cap(config, ownScores), mask)], -1, 'P+T'));

  const [promptWeights, ownWeights] = split(weights, -1, [P, T]);
  const fromPrompt = matMul(reshape(promptWeights, [kv, 'N*group*T', P]), prompt.values);
  const fromOwn = matMul(reshape(ownWeights, [kv, N, 'group*T', T]), ownHeads(rows.values));
  const mixed = add(reshape(fromPrompt, [...full, size]), reshape(fromOwn, [...full, size]));
  return pack(reshape(transpose(mixed, [1, 3, 0, 2, 4]), [N, T, width]), packing);
}

/** Scores as the softmax takes them before the mask: capped, in families that do so. */
export function cap({ attentionSoftcap }: ModelConfig, scores: Value): Value {
  return attentionSoftcap === null ? scores : softCap(scores, attentionSoftcap);
}

function headShape(config: ModelConfig): { kv: number; group: number; size: number; width: number } {
  const kv = config.numKeyValueHeads;
  return { kv, group: config.numHeads / kv, size: config.headSize, width: config.numHeads * config.headSize };
}
