import { oneOf, resolveSettings, type Declaration, type Given } from '../../common/settings';
import { setImmediate } from 'node:timers/promises';
import { withProgress } from '../../display/progress/progress';
import { allWeights } from '../graph/architecture';
import { parseConfig, type ModelConfig } from '../config';
import { FolderUpdate } from '../checkpoint/folderUpdate';
import { namesText, shapeText } from '../checkpoint/safetensorsHeader';
import { SafetensorsWriter, WEIGHT_BYTES, type WeightType } from '../checkpoint/safetensors';
import { architectureOf, namedWeights, reorderHeads, type NamedWeight } from './architectures';
import { configFile, generationFile } from './configFile';
import { Metadata } from './metadata';
import { GgufFile } from './reader';
import { tokenizerFiles } from './tokenizerFiles';

const settings = {
  /** Type of the weights in the folder; 'float32' holds every value exactly. 'float32' by default. */
  dtype: oneOf('float32', Object.keys(WEIGHT_BYTES) as WeightType[]),
};

/** Options of {@link ggufToFolder}. */
export interface GgufToFolderOptions extends Given<typeof settings> {}

/** The options of `ggufToFolder`. */
export const ggufToFolderDeclaration: Declaration<typeof settings> = {
  owner: 'ggufToFolder',
  noun: 'option',
  example: "{ dtype: 'bfloat16' }",
  settings,
};

/**
 * Writes the model of a GGUF file as a Hugging Face folder, which can be trained: the
 * values of its weights, configuration, tokenizer and chat template. Throws when the
 * file has types that cannot be read, or another architecture's tensors.
 */
export async function ggufToFolder(path: string, folder: string, options: GgufToFolderOptions = {}): Promise<void> {
  const { dtype } = resolveSettings(ggufToFolderDeclaration, options);
  const file = new GgufFile(path);
  try {
    const { unreadableTypes } = file;
    if (unreadableTypes.length > 0)
      throw new Error(
        `${path} has weights of type ${unreadableTypes.join(', ')}, which can be played, but not be written as a Hugging Face folder; take the folder of the model it was made from`,
      );
    const metadata = new Metadata(file.metadata, path);
    const pairFactors = file.shapes.has(FACTORS) ? file.read(FACTORS).data : null;
    const modelConfig = configFile(metadata, { shapes: file.shapes, pairFactors }, path);
    const config = parseConfig(modelConfig, path);
    const weights = namedWeights(config, architectureOf(String(modelConfig.model_type)));
    checkTensors(file, config, weights);
    const { tokenizer, settings: tokenizerSettings } = tokenizerFiles(metadata, path);
    await FolderUpdate.run(folder, async (update) => {
      await update.stream('model.safetensors', (target) => writeWeights(target, { file, config, weights, dtype }));
      update.json('config.json', { ...modelConfig, torch_dtype: dtype });
      update.json('generation_config.json', generationFile(metadata));
      update.text('tokenizer.json', tokenizer);
      update.json('tokenizer_config.json', tokenizerSettings);
      update.removeOthers(/^model(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/);
    });
  } finally {
    file.close();
  }
}

const FACTORS = 'rope_freqs.weight';

/** Throws unless the file has exactly the tensors of its architecture. */
function checkTensors(file: GgufFile, config: ModelConfig, weights: readonly NamedWeight[]): void {
  const wanted = new Map(allWeights(config).map(({ name, shape }) => [name, shape]));
  for (const { name, gguf } of weights) {
    const shape = file.shapes.get(gguf);
    if (!shape) throw new Error(`${file.path} has no tensor "${gguf}"; it is incomplete, or of another kind of model`);
    if (shape.join() !== wanted.get(name)!.join())
      throw new Error(
        `${file.path}: tensor "${gguf}" has shape ${shapeText(shape)}, its settings want ${shapeText(wanted.get(name)!)}`,
      );
  }
  const known = new Set([FACTORS, ...weights.map(({ gguf }) => gguf)]);
  const extra = [...file.shapes.keys()].filter((name) => !known.has(name));
  if (extra.length > 0)
    throw new Error(`${file.path} has tensors that this architecture does not use: ${namesText(extra)}`);
}

interface Weights {
  file: GgufFile;
  config: ModelConfig;
  weights: readonly NamedWeight[];
  dtype: WeightType;
}

async function writeWeights(path: string, { file, config, weights, dtype }: Weights): Promise<void> {
  const specs = weights.map(({ name, gguf }) => ({ name, shape: file.shapes.get(gguf)! }));
  const writer = new SafetensorsWriter(path, specs, dtype);
  try {
    await withProgress('Writing weights', weights.length, async (task) => {
      for (const [i, { gguf, heads, offset }] of weights.entries()) {
        const { data } = file.read(gguf);
        if (offset) data.forEach((value, j) => (data[j] = value - offset));
        writer.write(heads ? reorderHeads(data, heads, config.headSize, 'halves') : data);
        task.update(i + 1);
        await setImmediate();
      }
    });
  } catch (error) {
    writer.abandon();
    throw error;
  }
  writer.close();
}
