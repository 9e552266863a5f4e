import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './checkpoint';
import { CausalLM } from './causalLM';
import { finishUpdate } from './folderUpdate';
import { checkLoraConfig, LORA_DEFAULTS, loraScaling, peftName, type LoraAdapter, type LoraConfig } from './lora';
import { loraTargets } from './loraTargets';
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
    this.isGradientCheckpointing = base.isGradientCheckpointing;
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
  finishUpdate(folder);
  if (!existsSync(join(folder, 'adapter_config.json'))) {
    throw new Error(`${folder} has no adapter_config.json; it is not the folder of a PEFT adapter`);
  }
  const config = readAdapterConfig(folder);
  const tensors = readSafetensors(join(folder, 'adapter_model.safetensors'));
  const pairs: LoraAdapter['pairs'] = new Map();
  for (const target of loraTargets(model.config, config)) {
    const { name, r, shape: [outputs, inputs] } = target;
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
    pairs.set(name, { a: take('A', [r, inputs]), b: take('B', [outputs, r]), scaling: loraScaling(target, config.useRslora) });
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
  lora_bias: [false],
  fan_in_fan_out: [false],
  modules_to_save: [null],
  layers_pattern: [null, '', 'layers'],
  target_parameters: [null],
  trainable_token_indices: [null],
  alora_invocation_tokens: [null],
  use_qalora: [false],
  use_bdlora: [null, false],
  layer_replication: [null],
  megatron_config: [null],
  arrow_config: [null],
  kasa_config: [null],
  monteclora_config: [null],
  velora_config: [null],
  // The others would change the base when PEFT loads the adapter.
  init_lora_weights: [true, false, 'gaussian', 'orthogonal', 'eva'],
};

/** Settings that say where an adapter comes from, or how it started. */
const WITHOUT_EFFECT = [
  'task_type', 'auto_mapping', 'peft_version', 'base_model_name_or_path', 'revision', 'inference_mode', 'runtime_config', 'megatron_core',
  'loftq_config', 'eva_config', 'corda_config', 'lora_ga_config', 'qalora_group_size', 'ensure_weight_tying',
];

/** A later version of PEFT may compute something else by a setting that we have never heard of. */
function warnOfUnknown(raw: Record<string, unknown>, file: string): void {
  const known = new Set([...Object.keys(FIXED), ...WITHOUT_EFFECT, ...Object.keys(LORA_DEFAULTS).map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))]);
  const isOff = (value: unknown) => value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
  const unknown = Object.entries(raw).filter(([name, value]) => !known.has(name) && !isOff(value));
  if (unknown.length > 0) console.warn(`${file}: settings that are not known are ignored: ${unknown.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(', ')}`);
}

function readAdapterConfig(folder: string): LoraConfig {
  const raw = readJson(folder, 'adapter_config.json');
  const problems = Object.entries(FIXED)
    .filter(([name, allowed]) => name in raw && !allowed.includes(raw[name]))
    .map(([name, allowed]) => `${name} = ${JSON.stringify(raw[name])} (supported: ${allowed.map((value) => JSON.stringify(value)).join(', ')})`);
  if (!Array.isArray(raw.target_modules) && typeof raw.target_modules !== 'string') problems.push('target_modules (supported: a list of names or a regular expression)');
  const file = join(folder, 'adapter_config.json');
  if (problems.length > 0) throw new Error(`${file}: not supported: ${problems.join('; ')}`);
  warnOfUnknown(raw, file);
  const config: LoraConfig = {
    r: Number(raw.r),
    loraAlpha: Number(raw.lora_alpha),
    targetModules: raw.target_modules as string | string[],
    excludeModules: (raw.exclude_modules as string | string[] | null | undefined) ?? null,
    layersToTransform: (raw.layers_to_transform as number | number[] | null | undefined) ?? null,
    rankPattern: (raw.rank_pattern as Record<string, number> | null | undefined) ?? {},
    alphaPattern: (raw.alpha_pattern as Record<string, number> | null | undefined) ?? {},
    useRslora: raw.use_rslora === true,
    loraDropout: Number(raw.lora_dropout ?? 0),
    initLoraWeights: typeof raw.init_lora_weights === 'boolean' || raw.init_lora_weights === 'gaussian' ? raw.init_lora_weights : LORA_DEFAULTS.initLoraWeights,
  };
  checkLoraConfig(config);
  return config;
}
