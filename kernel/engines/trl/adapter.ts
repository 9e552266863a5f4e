import type { LoraConfig } from '../../models/lora/lora';
import { matchWithin } from '../../models/lora/loraPatterns';
import type { About } from './held';

/** Settings of an adapter in a worker: experts of a mixture are parameters, not layers. */
export interface WorkerLora extends LoraConfig {
  targetParameters: string[] | null;
}

/** PEFT's name of each setting. */
const NAMES: Record<keyof WorkerLora, string> = {
  r: 'r',
  loraAlpha: 'lora_alpha',
  targetModules: 'target_modules',
  excludeModules: 'exclude_modules',
  layersToTransform: 'layers_to_transform',
  rankPattern: 'rank_pattern',
  alphaPattern: 'alpha_pattern',
  useRslora: 'use_rslora',
  loraDropout: 'lora_dropout',
  initLoraWeights: 'init_lora_weights',
  targetParameters: 'target_parameters',
};

/** Returns the settings as PEFT and Unsloth take them; what says nothing is left out, as Unsloth does not know all. */
export function peftSettings(config: WorkerLora): Record<string, unknown> {
  const isNothing = (value: unknown) =>
    value === null || (typeof value === 'object' && Object.keys(value as object).length === 0);
  const given = Object.entries(config).filter(([, value]) => !isNothing(value));
  return Object.fromEntries(given.map(([name, value]) => [NAMES[name as keyof WorkerLora], value]));
}

/**
 * Returns the number of parameters that an adapter will have.
 *
 * @throws where a name chooses no layer, with the names that do
 */
export function adapterParameters({ linear, experts }: About, config: WorkerLora): number {
  const layers = chosen(linear, config.targetModules, 'targetModules');
  const parameters = config.targetParameters ? chosen(experts, config.targetParameters, 'targetParameters') : [];
  const { r } = config;
  return (
    layers.reduce((sum, [, outputs, inputs]) => sum + r * (outputs + inputs), 0) +
    parameters.reduce((sum, [, count, inputs, outputs]) => sum + r * count * (inputs + outputs), 0)
  );
}

function chosen<Layer extends [string, ...number[]]>(
  layers: readonly Layer[],
  targets: string | readonly string[],
  setting: string,
): Layer[] {
  const names = layers.map(([name]) => name);
  // PEFT leaves out the head.
  if (targets === 'all-linear') return layers.filter(([name]) => !/(^|\.)lm_head$/.test(name));
  if (typeof targets === 'string') {
    const [matches] = matchWithin(setting, { patterns: [targets], keys: names });
    return layers.filter((_, i) => matches[i]);
  }
  const has = (name: string, target: string) => name === target || name.endsWith(`.${target}`);
  const found = layers.filter(([name]) => targets.some((target) => has(name, target)));
  if (found.length > 0) return found;
  const ends = [...new Set(names.map((name) => name.split('.').at(-1)))];
  throw new Error(
    `${setting}: ${targets.join(', ')} chooses nothing of this model (its layers: ${ends.join(', ') || 'none'})`,
  );
}
