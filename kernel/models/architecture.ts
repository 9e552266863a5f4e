import type { ModelConfig } from './config';

/** A weight of a checkpoint: its name in the file and its shape. */
export interface WeightSpec {
  name: string;
  shape: number[];
}

const ATTENTION = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const FEED_FORWARD = ['gate_proj', 'up_proj', 'down_proj'];

/** The linear layers of a block, by the names that LoRA's `targetModules` uses. */
export const TARGET_MODULES = [...ATTENTION, ...FEED_FORWARD];

export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';
export const HEAD = 'lm_head.weight';

/** The name of a linear layer's weight in block `layer`. */
export function moduleWeight(layer: number, module: string): string {
  const part = ATTENTION.includes(module) ? 'self_attn' : 'mlp';
  return `model.layers.${layer}.${part}.${module}.weight`;
}

/** The name of the norm before attention or before the feed-forward part of block `layer`. */
export function normWeight(layer: number, before: 'attention' | 'feedForward'): string {
  return `model.layers.${layer}.${before === 'attention' ? 'input_layernorm' : 'post_attention_layernorm'}.weight`;
}

function moduleShape(config: ModelConfig, module: string): number[] {
  const { hiddenSize, intermediateSize } = config;
  const queries = config.numHeads * config.headSize;
  const keys = config.numKeyValueHeads * config.headSize;
  switch (module) {
    case 'q_proj':
      return [queries, hiddenSize];
    case 'k_proj':
    case 'v_proj':
      return [keys, hiddenSize];
    case 'o_proj':
      return [hiddenSize, queries];
    case 'down_proj':
      return [hiddenSize, intermediateSize];
    default:
      return [intermediateSize, hiddenSize];
  }
}

/** The weights of the given linear layers in every block. */
export function moduleWeights(config: ModelConfig, modules: readonly string[] = TARGET_MODULES): WeightSpec[] {
  return Array.from({ length: config.numLayers }, (_, layer) =>
    TARGET_MODULES.filter((module) => modules.includes(module)).map((module) => ({
      name: moduleWeight(layer, module),
      shape: moduleShape(config, module),
    })),
  ).flat();
}

/** Every weight that a checkpoint of this configuration has. */
export function allWeights(config: ModelConfig): WeightSpec[] {
  const { hiddenSize, vocabSize } = config;
  const norms = Array.from({ length: config.numLayers }, (_, layer) => [
    { name: normWeight(layer, 'attention'), shape: [hiddenSize] },
    { name: normWeight(layer, 'feedForward'), shape: [hiddenSize] },
  ]).flat();
  const head = config.tiedEmbeddings ? [] : [{ name: HEAD, shape: [vocabSize, hiddenSize] }];
  return [
    { name: EMBEDDING, shape: [vocabSize, hiddenSize] },
    ...moduleWeights(config),
    ...norms,
    { name: FINAL_NORM, shape: [hiddenSize] },
    ...head,
  ];
}
