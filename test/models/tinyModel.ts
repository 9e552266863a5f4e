import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allWeights } from '../../kernel/models/graph/architecture';
import { parseConfig } from '../../kernel/models/config';
import { writeSafetensors } from '../../kernel/models/checkpoint/safetensors';
import { seededRandom } from '../../kernel/common/random';
import { packageRoot } from '../../kernel/common/packagePaths';

const CHECKPOINT = join(packageRoot, 'kernel/models/strategist/checkpoint');
const SIZES = {
  hidden_size: 8,
  intermediate_size: 12,
  head_dim: 4,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  num_hidden_layers: 2,
};

/** Writes a model of two narrow layers with the tokenizer of the bundled one, which loads in some milliseconds. */
export function writeTinyModel(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const settings = { ...JSON.parse(readFileSync(join(CHECKPOINT, 'config.json'), 'utf8')), ...SIZES };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(settings));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    cpSync(join(CHECKPOINT, name), join(folder, name));
  const random = seededRandom(1);
  const weights = allWeights(parseConfig(settings)).map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    data.forEach((_, i) => (data[i] = random.next() - 0.5));
    return [name, { shape, data }] as const;
  });
  writeSafetensors(join(folder, 'model.safetensors'), new Map(weights));
}
