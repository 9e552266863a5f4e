import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { withProgress } from '../../display/progress/progress';
import { allWeights } from '../graph/architecture';
import type { CausalLM } from '../causalLM';
import { FolderUpdate } from '../checkpoint/folderUpdate';
import { oneOf, resolveSettings, type Declaration, type Given } from '../../common/settings';
import { architectureOf, namedWeights, reorderHeads, type NamedWeight } from './architectures';
import { filledConfig, modelSettings } from './modelSettings';
import { quantize } from './quantize';
import { text, TYPES, u32, type Setting, type TensorInfo, type TypeName } from './types';
import { vocabularySettings } from './vocabulary';
import { GgufWriter } from './writer';

/** Types of the weights of a GGUF file, by the names of llama.cpp's and Unsloth's tools. */
export type QuantizationMethod =
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'q8_0'
  | 'q5_1'
  | 'q5_0'
  | 'q4_1'
  | 'q4_0'
  | 'tq2_0'
  | 'tq1_0';

interface Method {
  type: TypeName;
  /** llama.cpp's number of such a file, `general.file_type`. */
  fileType: number;
  /** Type of embedding and head, an error of which affects every token. */
  ends?: TypeName;
}

const METHODS: Readonly<Record<QuantizationMethod, Method>> = {
  f32: { type: 'F32', fileType: 0 },
  f16: { type: 'F16', fileType: 1 },
  bf16: { type: 'BF16', fileType: 32 },
  q8_0: { type: 'Q8_0', fileType: 7 },
  q5_1: { type: 'Q5_1', fileType: 9, ends: 'Q8_0' },
  q5_0: { type: 'Q5_0', fileType: 8, ends: 'Q8_0' },
  q4_1: { type: 'Q4_1', fileType: 3, ends: 'Q8_0' },
  q4_0: { type: 'Q4_0', fileType: 2, ends: 'Q8_0' },
  tq2_0: { type: 'TQ2_0', fileType: 37, ends: 'F16' },
  tq1_0: { type: 'TQ1_0', fileType: 36, ends: 'F16' },
};

const methods = oneOf('f16', Object.keys(METHODS) as QuantizationMethod[]);

const ggufSettings = {
  /**
   * Type of most weights. The smaller, the less exact: 'q8_0' is hardly to be told from 'f16', 'q4_0' is a quarter of its
   * size; 'tq2_0' and 'tq1_0' keep three values (−1, 0, 1) only, which suits models that were trained so. 'f16' by default.
   */
  quantizationMethod: {
    ...methods,
    valid: `${methods.valid} (for others save 'f16' and let llama.cpp's llama-quantize make them of it)`,
  },
};

/** Options of a model that is saved as GGUF. */
export interface GgufOptions extends Given<typeof ggufSettings> {}

/** The options of `model.savePretrainedGguf`. */
export const ggufDeclaration: Declaration<typeof ggufSettings> = {
  owner: 'savePretrainedGguf',
  noun: 'option',
  example: "{ quantizationMethod: 'q8_0' }",
  settings: ggufSettings,
  elsewhere: { dtype: "give quantizationMethod, such as 'f16'", quantization: 'it is called quantizationMethod' },
};

const ENDS = ['token_embd.weight', 'output.weight'];

/** Values that are quantised at a time. A multiple of every block. */
const SLICE = 1 << 20;

/**
 * Writes `model.<method>.gguf` into a folder: weights with the adapter merged,
 * tokenizer and chat template, tensor by tensor.
 *
 * @returns the file
 */
export async function saveGguf(model: CausalLM, folder: string, options: GgufOptions): Promise<string> {
  const { quantizationMethod } = resolveSettings(ggufDeclaration, options);
  const method = METHODS[quantizationMethod];
  const raw = filledConfig(model.folder);
  const architecture = architectureOf(raw.model_type);
  const { settings: shape, pairFactors } = modelSettings(raw, model.config, architecture);
  const settings = new Map<string, Setting>([
    ['general.architecture', text(architecture.name)],
    ['general.type', text('model')],
    ['general.name', text(basename(model.modelName))],
    ['general.file_type', u32(method.fileType)],
    ['general.quantization_version', u32(2)],
    ...shape,
    ...vocabularySettings(model),
  ]);
  const name = `model.${quantizationMethod.toUpperCase()}.gguf`;
  const weights = namedWeights(model.config, architecture);
  await FolderUpdate.run(folder, async (update) => {
    await update.stream(name, (path) => write(path, { model, settings, weights, method, pairFactors }));
  });
  return join(folder, name);
}

interface Contents {
  model: CausalLM;
  settings: ReadonlyMap<string, Setting>;
  weights: readonly NamedWeight[];
  method: Method;
  pairFactors: Float32Array | null;
}

async function write(path: string, { model, settings, weights, method, pairFactors }: Contents): Promise<void> {
  const shapes = new Map(allWeights(model.config).map(({ name, shape }) => [name, shape]));
  const tensors = weights.map(({ name, gguf }): TensorInfo => {
    const shape = shapes.get(name)!;
    return { name: gguf, shape, type: typeOf(gguf, shape, method) };
  });
  const factors: TensorInfo[] = pairFactors
    ? [{ name: 'rope_freqs.weight', shape: [pairFactors.length], type: 'F32' }]
    : [];
  const writer = new GgufWriter(path, settings, [...factors, ...tensors]);
  try {
    if (pairFactors) writeTensor(writer, pairFactors, 'F32');
    await withProgress('Writing tensors', weights.length, async (task) => {
      for (const [i, weight] of weights.entries()) {
        writeTensor(writer, valuesOf(model, weight), tensors[i].type);
        task.update(i + 1);
        // Large models take a while: interrupts and timers live.
        await setImmediate();
      }
    });
  } catch (error) {
    writer.abandon();
    throw error;
  }
  writer.close();
}

function writeTensor(writer: GgufWriter, data: Float32Array, type: TypeName): void {
  for (let at = 0; at < data.length; at += SLICE) writer.write(quantize(type, data.subarray(at, at + SLICE)));
  writer.align();
}

/** Returns a weight's values as llama.cpp has them. */
function valuesOf(model: CausalLM, { name, heads, offset }: NamedWeight): Float32Array {
  const { data } = model.mergedWeight(name);
  if (heads) return reorderHeads(data, heads, model.config.headSize, 'pairs');
  return offset ? data.map((value) => value + offset) : data;
}

/** Returns the type of a tensor: vectors are float32, rows that do not divide into blocks float16. */
function typeOf(name: string, shape: readonly number[], { type, ends = type }: Method): TypeName {
  if (shape.length === 1) return 'F32';
  const wanted = ENDS.includes(name) ? ends : type;
  return shape.at(-1)! % TYPES[wanted].values === 0 ? wanted : 'F16';
}
