import { softCap } from '../../onnx/operators/activations';
import { add } from '../../onnx/operators/arithmetic';
import { matMul } from '../../onnx/operators/matmul';
import { reshape, transpose } from '../../onnx/operators/shape';
import { softmax } from '../../onnx/operators/softmax';
import type { Value } from '../../onnx/value';
import type { ModelConfig } from '../config';

/*
 * Heads are grouped by the key and value head that they share (grouped-query
 * attention): [kv, group, …]. The queries of a group are rows of one matrix
 * product with their common keys. P is the number of tokens of the prompt.
 */

/** Keys and values of a prompt by head: [kv, P, headSize] each. */
export interface PromptHeads {
  keys: Value;
  values: Value;
}

/** Returns rows of keys or values [P, kv · headSize] by head: [kv, P, headSize]. */
export function promptHeads(config: ModelConfig, rows: Value): Value {
  const split = reshape(rows, [rows.shape[0], config.numKeyValueHeads, config.headSize]);
  return transpose(split, [1, 0, 2]);
}

/**
 * Returns attention of P rows, queries [P, heads · headSize], to K tokens of their
 * prompt, in the shape of the queries; `mask` [P, K] is 0 or very negative.
 */
export function promptAttention(config: ModelConfig, queries: Value, prompt: PromptHeads, mask: Value): Value {
  const { kv, group, size, width } = headShape(config);
  const P = queries.shape[0];
  const K = prompt.keys.shape[1];
  const byHead = reshape(transpose(reshape(queries, [P, kv, group, size]), [1, 2, 0, 3]), [kv, 'group*P', size]);
  const scores = matMul(byHead, prompt.keys, { transB: true, alpha: config.attentionScale });
  const weights = softmax(add(cap(config, reshape(scores, [kv, group, P, K])), mask));
  const mixed = matMul(reshape(weights, [kv, 'group*P', K]), prompt.values);
  return reshape(transpose(reshape(mixed, [kv, group, P, size]), [2, 0, 1, 3]), [P, width]);
}

/** Returns attention scores, capped in families that do so. */
export function cap({ attentionSoftcap }: ModelConfig, scores: Value): Value {
  return attentionSoftcap === null ? scores : softCap(scores, attentionSoftcap);
}

function headShape(config: ModelConfig): { kv: number; group: number; size: number; width: number } {
  const kv = config.numKeyValueHeads;
  return { kv, group: config.numHeads / kv, size: config.headSize, width: config.numHeads * config.headSize };
}
