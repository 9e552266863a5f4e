import {
  blockNorms,
  EMBEDDING,
  FINAL_NORM,
  HEAD,
  headNormWeight,
  moduleWeight,
  TARGET_MODULES,
} from '../graph/architecture';
import type { ModelConfig } from '../config';

/** llama.cpp's name of a family of models, and what its code fixes. */
export interface Architecture {
  /** `general.architecture`. */
  name: string;
  /**
   * Whether rotary embeddings rotate neighbouring values of a head instead of those half
   * a head apart, so that rows of queries and keys are in another order.
   */
  interleaved?: boolean;
  /** Whether each pair of a head may have a factor of its own, in the tensor `rope_freqs.weight`. */
  pairFactors?: boolean;
  /** Linear layers that may have a bias. */
  biases?: readonly string[];
  /** Returns whether a layer attends only to a sliding window; without it llama.cpp has none. */
  isSliding?: (layer: number) => boolean;
  /** Returns whether a layer has no rotary embedding. */
  isUnrotated?: (layer: number) => boolean;
  /** Whether the weights of norms include their offset. */
  wholeNorms?: boolean;
}

const QUERY_KEY_VALUE = ['q_proj', 'k_proj', 'v_proj'];
const SLIDING_OF_SIX = (layer: number) => (layer + 1) % 6 !== 0;

/** Architectures by `model_type`. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  llama: { name: 'llama', interleaved: true, pairFactors: true, biases: TARGET_MODULES },
  mistral: { name: 'llama', interleaved: true },
  qwen2: { name: 'qwen2', biases: QUERY_KEY_VALUE },
  qwen3: { name: 'qwen3' },
  smollm3: { name: 'smollm3', interleaved: true, isUnrotated: (layer) => (layer + 1) % 4 === 0 },
  gemma: { name: 'gemma', wholeNorms: true },
  gemma2: { name: 'gemma2', wholeNorms: true, isSliding: (layer) => layer % 2 === 0 },
  gemma3_text: { name: 'gemma3', wholeNorms: true, isSliding: SLIDING_OF_SIX },
};

/** Returns the architecture of a `model_type`. Throws when llama.cpp has none. */
export function architectureOf(modelType: string): Architecture {
  const architecture = ARCHITECTURES[modelType];
  if (!architecture)
    throw new Error(
      `model_type ${modelType} cannot be written as GGUF (supported: ${Object.keys(ARCHITECTURES).join(', ')})`,
    );
  return architecture;
}

/** Returns the `model_type` of an architecture by llama.cpp's name. Throws when a Hugging Face folder cannot have it. */
export function modelTypeOf(name: string, path: string): string {
  const found = Object.entries(ARCHITECTURES).find(([, architecture]) => architecture.name === name);
  if (!found)
    throw new Error(
      `${path} is a model of architecture "${name}", which runs in llama.cpp only; as a Hugging Face folder can be written: ` +
        [...new Set(Object.values(ARCHITECTURES).map((one) => one.name))].join(', '),
    );
  return found[0];
}

/** A weight by both names. */
export interface NamedWeight {
  /** The checkpoint's name. */
  name: string;
  /** llama.cpp's. */
  gguf: string;
  /** Number of heads, where the order of their rows differs. */
  heads?: number;
  /** Offset that is added to the values of the checkpoint. */
  offset: 0 | 1;
}

const MODULES: Readonly<Record<string, string>> = {
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  o_proj: 'attn_output',
  gate_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  down_proj: 'ffn_down',
};

/** Returns all weights of a model, in llama.cpp's order. */
export function namedWeights(config: ModelConfig, { interleaved, wholeNorms }: Architecture): NamedWeight[] {
  const normOffset = wholeNorms ? config.normOffset : 0;
  const plain = (name: string, gguf: string): NamedWeight => ({ name, gguf, offset: 0 });
  const norm = (name: string, gguf: string): NamedWeight => ({ name, gguf, offset: normOffset });
  const headsOf: Record<string, number> = interleaved
    ? { q_proj: config.numHeads, k_proj: config.numKeyValueHeads }
    : {};
  const block = (layer: number): NamedWeight[] => {
    const norms = blockNorms(config, layer);
    const modules = TARGET_MODULES.flatMap((module): NamedWeight[] => {
      const weight = moduleWeight(layer, module);
      const gguf = `blk.${layer}.${MODULES[module]}`;
      const one = { ...plain(weight, `${gguf}.weight`), heads: headsOf[module] };
      const bias = { ...one, name: weight.replace(/weight$/, 'bias'), gguf: `${gguf}.bias` };
      return config.biases.includes(module) ? [one, bias] : [one];
    });
    return [
      norm(norms.beforeAttention, `blk.${layer}.attn_norm.weight`),
      ...modules,
      ...(config.queryKeyNorm
        ? (['q', 'k'] as const).map((of) => norm(headNormWeight(layer, of), `blk.${layer}.attn_${of}_norm.weight`))
        : []),
      ...(norms.afterAttention ? [norm(norms.afterAttention, `blk.${layer}.post_attention_norm.weight`)] : []),
      norm(norms.beforeFeedForward, `blk.${layer}.ffn_norm.weight`),
      ...(norms.afterFeedForward ? [norm(norms.afterFeedForward, `blk.${layer}.post_ffw_norm.weight`)] : []),
    ];
  };
  return [
    plain(EMBEDDING, 'token_embd.weight'),
    ...Array.from({ length: config.numLayers }, (_, layer) => block(layer)).flat(),
    norm(FINAL_NORM, 'output_norm.weight'),
    ...(config.tiedEmbeddings ? [] : [plain(HEAD, 'output.weight')]),
  ];
}

/** Returns the rows of heads reordered from halves (the first values of all pairs, then the second ones) to pairs, or back. */
export function reorderHeads(
  data: Float32Array,
  heads: number,
  headSize: number,
  to: 'pairs' | 'halves',
): Float32Array {
  const result = new Float32Array(data.length);
  const width = data.length / (heads * headSize);
  for (let row = 0; row < heads * headSize; row++) {
    const within = row % headSize;
    const inHalves = row - within + (within & 1) * (headSize / 2) + (within >> 1);
    const [from, into] = to === 'pairs' ? [inHalves, row] : [row, inHalves];
    result.set(data.subarray(from * width, (from + 1) * width), into * width);
  }
  return result;
}
