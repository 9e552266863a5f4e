import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { moduleWeights } from './architecture';
import { readJson } from './checkpoint';
import { CausalLM } from './causalLM';
import { checkLoraConfig, peftName, type LoraAdapter, type LoraConfig } from './lora';
import { readSafetensors } from './safetensors';
import { saveAdapter } from './save';

/** A language model with a LoRA adapter on its frozen weights, which it shares with the model it was made from. */
export class PeftModel extends CausalLM {
  private readonly lora: LoraAdapter;

  /** @internal */
  constructor(
    readonly base: CausalLM,
    adapter: LoraAdapter,
  ) {
    super(base);
    this.lora = adapter;
  }

  override get adapter(): LoraAdapter {
    return this.lora;
  }

  /** Saves the adapter as a PEFT folder: `adapter_config.json` and `adapter_model.safetensors`. */
  override async savePretrained(folder: string): Promise<void> {
    await saveAdapter(this, folder);
  }

  /** The model with an adapter that was saved by Joylab or PEFT. */
  static async fromPretrained(model: CausalLM, folder: string): Promise<PeftModel> {
    return new PeftModel(model instanceof PeftModel ? model.base : model, loadAdapter(model, folder));
  }
}

function loadAdapter(model: CausalLM, folder: string): LoraAdapter {
  if (!existsSync(join(folder, 'adapter_config.json'))) {
    throw new Error(`${folder} has no adapter_config.json; it is not the folder of a PEFT adapter`);
  }
  const config = readAdapterConfig(folder);
  const tensors = readSafetensors(join(folder, 'adapter_model.safetensors'));
  const pairs: LoraAdapter['pairs'] = new Map();
  for (const { name, shape: [outputs, inputs] } of moduleWeights(model.config, config.targetModules)) {
    const take = (factor: 'A' | 'B', shape: number[]) => {
      const key = peftName(name, factor);
      const tensor = tensors.get(key);
      if (!tensor) throw new Error(`${folder}: the adapter has no tensor "${key}"`);
      if (tensor.shape.join() !== shape.join()) {
        throw new Error(`${folder}: tensor "${key}" has shape [${tensor.shape.join(', ')}], this model wants [${shape.join(', ')}]`);
      }
      tensors.delete(key);
      return tensor;
    };
    pairs.set(name, { a: take('A', [config.r, inputs]), b: take('B', [outputs, config.r]) });
  }
  const extra = [...tensors.keys()];
  if (extra.length > 0) throw new Error(`${folder}: the adapter has tensors that are not supported: ${extra.slice(0, 4).join(', ')}`);
  return { config, pairs };
}

/** Settings of PEFT that must have one of these values, or be absent. */
const FIXED: Record<string, readonly unknown[]> = {
  peft_type: ['LORA'],
  bias: ['none'],
  use_dora: [false],
  fan_in_fan_out: [false],
  modules_to_save: [null],
  layers_to_transform: [null],
  target_parameters: [null],
  trainable_token_indices: [null],
};

function readAdapterConfig(folder: string): LoraConfig {
  const raw = readJson(folder, 'adapter_config.json');
  const problems = Object.entries(FIXED)
    .filter(([name, allowed]) => name in raw && !allowed.includes(raw[name]))
    .map(([name, allowed]) => `${name} = ${JSON.stringify(raw[name])} (supported: ${JSON.stringify(allowed[0])})`);
  for (const name of ['rank_pattern', 'alpha_pattern']) {
    if (raw[name] && Object.keys(raw[name] as object).length > 0) problems.push(`${name} (supported: empty)`);
  }
  if (!Array.isArray(raw.target_modules)) problems.push('target_modules (supported: a list of names)');
  if (problems.length > 0) throw new Error(`${join(folder, 'adapter_config.json')}: not supported: ${problems.join('; ')}`);
  const config: LoraConfig = {
    r: Number(raw.r),
    loraAlpha: Number(raw.lora_alpha),
    targetModules: raw.target_modules as string[],
    useRslora: raw.use_rslora === true,
  };
  checkLoraConfig(config);
  return config;
}
