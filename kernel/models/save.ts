import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Tensor } from '../onnx/tensor';
import type { CausalLM } from './causalLM';
import { peftName } from './lora';
import type { PeftModel } from './peft';
import { writeSafetensors, type WeightType } from './safetensors';

/** Files beside the weights that belong to a model and are copied as they are. */
const COMPANIONS = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'generation_config.json',
];

/** Writes a Hugging Face model folder: configuration, weights, tokenizer. */
export function saveModel(model: CausalLM, folder: string, weights: ReadonlyMap<string, Tensor>, type: WeightType): void {
  const types: readonly string[] = ['float32', 'float16', 'bfloat16'];
  if (!types.includes(type)) throw new Error(`dtype must be one of ${types.join(', ')}, not ${JSON.stringify(type)}`);
  mkdirSync(folder, { recursive: true });
  const { torch_dtype: _, ...config } = model.config.raw;
  writeJson(folder, 'config.json', { ...config, dtype: type });
  writeSafetensors(join(folder, 'model.safetensors'), weights, type);
  copyCompanions(model.folder, folder);
}

/** Writes a PEFT adapter folder. */
export function saveAdapter(model: PeftModel, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const { config, pairs } = model.adapter;
  writeJson(folder, 'adapter_config.json', {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: model.modelName,
    r: config.r,
    lora_alpha: config.loraAlpha,
    lora_dropout: 0,
    use_rslora: config.useRslora,
    target_modules: config.targetModules,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
  });
  const tensors = new Map<string, Tensor>();
  for (const [name, { a, b }] of pairs) {
    tensors.set(peftName(name, 'A'), a);
    tensors.set(peftName(name, 'B'), b);
  }
  writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors);
}

function copyCompanions(from: string, to: string): void {
  if (resolve(from) === resolve(to)) return;
  for (const name of COMPANIONS) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  }
}

/** The file appears whole or not at all. */
function writeJson(folder: string, name: string, value: object): void {
  const path = join(folder, name);
  writeFileSync(`${path}.partial`, JSON.stringify(value, null, 2) + '\n');
  renameSync(`${path}.partial`, path);
}
