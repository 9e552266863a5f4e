import { EMBEDDING, HEAD, TARGET_MODULES, moduleWeights, type WeightSpec } from '../graph/architecture';
import type { ModelConfig } from '../config';
import { describe } from '../checkpoint/jsonFile';
import type { LoraConfig } from './lora';
import { matchWithin } from './loraPatterns';

/*
 * The linear layers that an adapter changes, by PEFT's rules. PEFT knows a layer
 * by the path of its module, `model.layers.0.self_attn.q_proj`.
 */

/** A layer to adapt, with its own rank and alpha. */
export interface LoraTarget extends WeightSpec {
  r: number;
  loraAlpha: number;
}

/** PEFT's word for all linear layers of the blocks. */
const ALL_LINEAR = 'all-linear';

/**
 * Returns the layers that settings choose, in the model's order. Throws when there are
 * none, or they are not supported.
 *
 * @param strict whether every name of a list must choose a layer
 */
export function loraTargets(model: ModelConfig, config: LoraConfig, { strict = false } = {}): LoraTarget[] {
  const { targetModules, excludeModules, layersToTransform } = config;
  const blocks = moduleWeights(model);
  const candidates =
    targetModules === ALL_LINEAR ? blocks : [{ name: EMBEDDING, shape: [] }, ...blocks, { name: HEAD, shape: [] }];
  const paths = candidates.map(({ name }) => path(name));
  const wanted = matches(targetModules, paths, 'targetModules');
  const excluded = excludeModules ? matches(excludeModules, paths, 'excludeModules') : [];
  const layers = layersToTransform === null ? null : new Set([layersToTransform].flat());
  const chosen = candidates.filter((_, i) => wanted[i] && !excluded[i] && isInLayers(paths[i], layers));

  const outside = chosen
    .filter(({ name }) => name === EMBEDDING || name === HEAD)
    .map(({ name }) => path(name).split('.').at(-1));
  if (outside.length > 0) throw new Error(`targetModules: LoRA on ${outside.join(', ')} is not supported; ${VALID}`);
  if (strict && Array.isArray(targetModules)) checkNames(targetModules, paths);
  if (chosen.length === 0)
    throw new Error(
      `targetModules: ${targetModules.length === 0 ? 'empty' : `${describe(targetModules)} chooses no layer`}; ${VALID}`,
    );
  const ranks = byPattern(config.rankPattern, chosen, 'rankPattern');
  const alphas = byPattern(config.alphaPattern, chosen, 'alphaPattern');
  return chosen.map((spec, i) => ({ ...spec, r: ranks[i] ?? config.r, loraAlpha: alphas[i] ?? config.loraAlpha }));
}

const VALID = `valid are ${TARGET_MODULES.join(', ')}, ends of paths such as 'layers.0.mlp.up_proj', '${ALL_LINEAR}', or a regular expression of whole paths`;

/** Returns `model.layers.0.self_attn.q_proj` of `….q_proj.weight`. */
function path(weight: string): string {
  return weight.replace(/\.weight$/, '');
}

/** Returns for each path whether a list has it or its end, or a regular expression matches the whole of it. */
function matches(targets: string | readonly string[], paths: readonly string[], setting: string): boolean[] {
  if (targets === ALL_LINEAR) return paths.map(() => true);
  if (typeof targets === 'string') return matchWithin(setting, { patterns: [targets], keys: paths })[0];
  const names = new Set(targets);
  return paths.map((path) => ends(path).some((end) => names.has(end)));
}

/** Returns `a.b.c`, `b.c` and `c` of `a.b.c`. */
function ends(path: string): string[] {
  const parts = path.split('.');
  return parts.map((_, i) => parts.slice(i).join('.'));
}

function checkNames(names: readonly string[], paths: readonly string[]): void {
  const valid = new Set(paths.flatMap(ends));
  const unknown = names.filter((name) => !valid.has(name));
  if (unknown.length > 0) throw new Error(`targetModules: unknown ${unknown.join(', ')}; ${VALID}`);
}

function isInLayers(path: string, layers: ReadonlySet<number> | null): boolean {
  return layers === null || layers.size === 0 || layers.has(Number(/^model\.layers\.(\d+)\./.exec(path)?.[1]));
}

/** Returns for each layer the value of the first pattern that is the end of its path. */
function byPattern(
  values: Record<string, number>,
  layers: readonly WeightSpec[],
  setting: string,
): (number | undefined)[] {
  const names = Object.keys(values);
  if (names.length === 0) return [];
  const found = matchWithin(setting, { patterns: names, keys: layers.map(({ name }) => path(name)), ends: true });
  return layers.map((_, layer) => {
    const first = found.findIndex((matched) => matched[layer]);
    return first < 0 ? undefined : values[names[first]];
  });
}
