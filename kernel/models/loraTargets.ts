import { EMBEDDING, HEAD, TARGET_MODULES, moduleWeights, type WeightSpec } from './architecture';
import type { ModelConfig } from './config';
import type { LoraConfig } from './lora';

/*
 * Which linear layers an adapter changes, by PEFT's rules. PEFT knows a layer
 * by the path of its module, `model.layers.0.self_attn.q_proj`.
 */

/** A layer to adapt, with its own rank and alpha. */
export interface LoraTarget extends WeightSpec {
  r: number;
  loraAlpha: number;
}

/** PEFT's word for all linear layers of the blocks. */
const ALL_LINEAR = 'all-linear';

/** The layers that settings choose, in the model's order. `strict`: every name of a list must choose one. */
export function loraTargets(model: ModelConfig, config: LoraConfig, { strict = false } = {}): LoraTarget[] {
  const { targetModules, excludeModules, layersToTransform } = config;
  const blocks = moduleWeights(model);
  const candidates = targetModules === ALL_LINEAR ? blocks : [{ name: EMBEDDING, shape: [] }, ...blocks, { name: HEAD, shape: [] }];
  const chosen = candidates.filter(
    ({ name }) =>
      matches(targetModules, name, 'targetModules') && !(excludeModules && matches(excludeModules, name, 'excludeModules')) && isInLayers(name, layersToTransform),
  );
  const outside = chosen.filter(({ name }) => name === EMBEDDING || name === HEAD).map(({ name }) => path(name).split('.').at(-1));
  if (outside.length > 0) throw new Error(`targetModules: LoRA on ${outside.join(', ')} is not supported; ${VALID}`);
  const unknown = strict && Array.isArray(targetModules) ? targetModules.filter((target) => !candidates.some(({ name }) => matches([target], name, 'targetModules'))) : [];
  if (unknown.length > 0) throw new Error(`targetModules: unknown ${unknown.join(', ')}; ${VALID}`);
  if (chosen.length === 0) throw new Error(`targetModules: ${targetModules.length === 0 ? 'empty' : `${JSON.stringify(targetModules)} chooses no layer`}; ${VALID}`);
  return chosen.map((spec) => ({
    ...spec,
    r: byPattern(config.rankPattern, spec.name) ?? config.r,
    loraAlpha: byPattern(config.alphaPattern, spec.name) ?? config.loraAlpha,
  }));
}

const VALID = `valid are ${TARGET_MODULES.join(', ')}, ends of paths such as 'layers.0.mlp.up_proj', '${ALL_LINEAR}', or a regular expression of whole paths`;

/** `model.layers.0.self_attn.q_proj` of `….q_proj.weight`. */
function path(weight: string): string {
  return weight.replace(/\.weight$/, '');
}

/** Whether a list has the path or its end, or a regular expression is the whole of it. */
function matches(targets: string | readonly string[], weight: string, setting: string): boolean {
  const key = path(weight);
  if (targets === ALL_LINEAR) return true;
  if (typeof targets === 'string') return regularExpression(`^(?:${targets})$`, setting).test(key);
  return targets.some((target) => key === target || key.endsWith(`.${target}`));
}

function isInLayers(weight: string, layers: LoraConfig['layersToTransform']): boolean {
  if (layers === null) return true;
  const layer = Number(/^model\.layers\.(\d+)\./.exec(weight)?.[1]);
  return [layers].flat().includes(layer);
}

/** The value of the first pattern that is the end of the path. */
function byPattern(patterns: Record<string, number>, weight: string): number | undefined {
  const key = Object.keys(patterns).find((pattern) => regularExpression(`^(?:.*\\.)?(?:${pattern})$`, 'rankPattern and alphaPattern').test(path(weight)));
  return key === undefined ? undefined : patterns[key];
}

function regularExpression(source: string, setting: string): RegExp {
  try {
    // Python writes named groups with a P.
    return new RegExp(source.replaceAll('(?P<', '(?<'));
  } catch (error) {
    throw new Error(`${setting}: ${(error as Error).message}`);
  }
}
