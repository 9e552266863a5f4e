import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkValues } from '../../common/settings';
import { CausalLM } from '../causalLM';
import { finishUpdate } from '../checkpoint/folderUpdate';
import { describe, readJsonFile } from '../checkpoint/jsonFile';
import { loraScaling, loraSettings, peftName, type LoraAdapter, type LoraConfig } from './lora';
import { loraTargets, type LoraTarget } from './loraTargets';
import { SafetensorsFile } from '../checkpoint/safetensors';
import { namesText, shapeText } from '../checkpoint/safetensorsHeader';
import { checkMemory } from '../memory';
import { saveAdapter } from '../checkpoint/save';
import { otherFormats } from '../checkpoint/weightFiles';

/** A language model with a LoRA adapter on its frozen weights, which it shares with its base model. */
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

  /**
   * Returns a model with an adapter that was saved by Joylab or PEFT. Rejects when the
   * adapter is damaged, not supported, or for another model.
   */
  static async fromPretrained(model: CausalLM, folder: string): Promise<PeftModel> {
    return new PeftModel(model instanceof PeftModel ? model.base : model, loadAdapter(model, folder));
  }
}

function loadAdapter(model: CausalLM, folder: string): LoraAdapter {
  finishUpdate(folder);
  const config = readAdapterConfig(folder);
  const file = new SafetensorsFile(adapterFile(folder));
  try {
    return { config, pairs: readPairs(file, targetsOf(model, config, folder), config, folder) };
  } finally {
    file.close();
  }
}

/** Returns the path of an adapter's weights. Throws when there are none. */
export function adapterFile(folder: string): string {
  const path = join(folder, 'adapter_model.safetensors');
  if (existsSync(path)) return path;
  throw new Error(
    `${folder} has no adapter_model.safetensors${otherFormats(folder)}; save the adapter with safe_serialization=True`,
  );
}

function targetsOf(model: CausalLM, config: LoraConfig, folder: string): LoraTarget[] {
  try {
    return loraTargets(model.config, config);
  } catch (error) {
    throw new Error(`${join(folder, CONFIG)}: ${(error as Error).message}`, { cause: error });
  }
}

/** Returns the factors of each target. Throws, before any is read, when a shape does not fit. */
function readPairs(
  file: SafetensorsFile,
  targets: readonly LoraTarget[],
  { useRslora }: LoraConfig,
  folder: string,
): LoraAdapter['pairs'] {
  const unused = new Set(file.shapes.keys());
  const check = (weight: string, factor: 'A' | 'B', shape: number[]) => {
    const key = peftName(weight, factor);
    const actual = file.shapes.get(key);
    if (!actual) throw new Error(`${folder}: the adapter has no tensor "${key}"`);
    if (actual.join() !== shape.join())
      throw new Error(
        `${folder}: tensor "${key}" has shape ${shapeText(actual)}, this model wants ${shapeText(shape)}`,
      );
    unused.delete(key);
  };
  for (const {
    name,
    r,
    shape: [outputs, inputs],
  } of targets) {
    check(name, 'A', [r, inputs]);
    check(name, 'B', [outputs, r]);
  }
  const bytes = targets.reduce((sum, { r, shape: [outputs, inputs] }) => sum + 4 * r * (inputs + outputs), 0);
  checkMemory(`${folder}: the adapter`, bytes, 'choose a smaller one');
  if (unused.size > 0)
    throw new Error(`${folder}: the adapter has tensors that are not supported: ${namesText([...unused])}`);
  const read = (weight: string, factor: 'A' | 'B') => file.read(peftName(weight, factor));
  return new Map(
    targets.map((target) => [
      target.name,
      { a: read(target.name, 'A'), b: read(target.name, 'B'), scaling: loraScaling(target, useRslora) },
    ]),
  );
}

const CONFIG = 'adapter_config.json';

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

/** Settings without effect on the computation: where an adapter comes from, or how it was initialised. */
const WITHOUT_EFFECT = [
  'task_type',
  'auto_mapping',
  'peft_version',
  'base_model_name_or_path',
  'revision',
  'inference_mode',
  'runtime_config',
  'megatron_core',
  'loftq_config',
  'eva_config',
  'corda_config',
  'lora_ga_config',
  'qalora_group_size',
  'ensure_weight_tying',
];

/** Warns of unknown settings, by which a later version of PEFT may compute something else. */
function warnOfUnknown(raw: Record<string, unknown>, file: string): void {
  const known = new Set([
    ...Object.keys(FIXED),
    ...WITHOUT_EFFECT,
    ...Object.keys(loraSettings).map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
  ]);
  const isOff = (value: unknown) =>
    value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
  const unknown = Object.entries(raw).filter(([name, value]) => !known.has(name) && !isOff(value));
  if (unknown.length > 0)
    console.warn(
      `${file}: settings that are not known are ignored: ${unknown
        .slice(0, 8)
        .map(([name, value]) => `${name} = ${describe(value)}`)
        .join(', ')}`,
    );
}

function readAdapterConfig(folder: string): LoraConfig {
  const file = join(folder, CONFIG);
  if (!existsSync(file)) throw new Error(`${folder} has no ${CONFIG}; it is not the folder of a PEFT adapter`);
  const raw = readJsonFile(file);
  const problems = Object.entries(FIXED)
    .filter(([name, allowed]) => name in raw && !allowed.includes(raw[name]))
    .map(([name, allowed]) => `${name} = ${describe(raw[name])} (supported: ${allowed.map(describe).join(', ')})`);
  if (problems.length > 0) throw new Error(`${file}: not supported: ${problems.join('; ')}`);
  warnOfUnknown(raw, file);
  // Checked below, whatever types they are of.
  const config = {
    r: raw.r ?? PEFT_DEFAULT,
    loraAlpha: raw.lora_alpha ?? PEFT_DEFAULT,
    targetModules: raw.target_modules ?? null,
    excludeModules: raw.exclude_modules ?? null,
    layersToTransform: raw.layers_to_transform ?? null,
    rankPattern: raw.rank_pattern ?? {},
    alphaPattern: raw.alpha_pattern ?? {},
    useRslora: raw.use_rslora ?? false,
    loraDropout: raw.lora_dropout ?? 0,
    initLoraWeights:
      typeof raw.init_lora_weights === 'boolean' || raw.init_lora_weights === 'gaussian'
        ? raw.init_lora_weights
        : loraSettings.initLoraWeights.fallback,
  } as LoraConfig;
  try {
    checkValues('', loraSettings, config);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
  return config;
}

/** PEFT's default of rank and alpha, where a file has none. */
const PEFT_DEFAULT = 8;
