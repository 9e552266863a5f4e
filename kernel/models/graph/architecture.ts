import type { ModelConfig } from '../config';

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

/** Returns the name of a linear layer's weight in block `layer`. */
export function moduleWeight(layer: number, module: string): string {
  const part = ATTENTION.includes(module) ? 'self_attn' : 'mlp';
  return `model.layers.${layer}.${part}.${module}.weight`;
}

/** Returns the name of a linear layer's bias in block `layer`. */
export function moduleBias(layer: number, module: string): string {
  return moduleWeight(layer, module).replace(/weight$/, 'bias');
}

/** Returns the name of the norm of each head of queries or keys in block `layer`. */
export function headNormWeight(layer: number, of: 'q' | 'k'): string {
  return `model.layers.${layer}.self_attn.${of}_norm.weight`;
}

/** The norms of a block: before and, in some families, after attention and feed-forward layers. */
export interface BlockNorms {
  beforeAttention: string;
  afterAttention: string | null;
  beforeFeedForward: string;
  afterFeedForward: string | null;
}

/** Returns the names of the norms of block `layer`. */
export function blockNorms({ postNorms }: ModelConfig, layer: number): BlockNorms {
  const name = (norm: string) => `model.layers.${layer}.${norm}.weight`;
  return {
    beforeAttention: name('input_layernorm'),
    afterAttention: postNorms ? name('post_attention_layernorm') : null,
    // Llama calls by this name what stands before the feed-forward part.
    beforeFeedForward: name(postNorms ? 'pre_feedforward_layernorm' : 'post_attention_layernorm'),
    afterFeedForward: postNorms ? name('post_feedforward_layernorm') : null,
  };
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

/** Returns the weights of the given linear layers in every block. */
export function moduleWeights(config: ModelConfig, modules: readonly string[] = TARGET_MODULES): WeightSpec[] {
  return Array.from({ length: config.numLayers }, (_, layer) =>
    TARGET_MODULES.filter((module) => modules.includes(module)).map((module) => ({
      name: moduleWeight(layer, module),
      shape: moduleShape(config, module),
    })),
  ).flat();
}

/** Returns every weight of a checkpoint of this configuration. */
export function allWeights(config: ModelConfig): WeightSpec[] {
  const { hiddenSize, vocabSize, numLayers } = config;
  const head = config.tiedEmbeddings ? [] : [{ name: HEAD, shape: [vocabSize, hiddenSize] }];
  return [
    { name: EMBEDDING, shape: [vocabSize, hiddenSize] },
    ...moduleWeights(config),
    ...Array.from({ length: numLayers }, (_, layer) => blockVectors(config, layer)).flat(),
    { name: FINAL_NORM, shape: [hiddenSize] },
    ...head,
  ];
}

/** Returns the norms and biases of a block. */
function blockVectors(config: ModelConfig, layer: number): WeightSpec[] {
  const norms = Object.values(blockNorms(config, layer)).filter((name): name is string => name !== null);
  const headNorms = config.queryKeyNorm ? [headNormWeight(layer, 'q'), headNormWeight(layer, 'k')] : [];
  return [
    ...norms.map((name) => ({ name, shape: [config.hiddenSize] })),
    ...headNorms.map((name) => ({ name, shape: [config.headSize] })),
    ...config.biases.map((module) => ({ name: moduleBias(layer, module), shape: [moduleShape(config, module)[0]] })),
  ];
}
