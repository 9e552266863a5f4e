import { describe } from '../checkpoint/jsonFile';

/** The rotary embedding of a layer. */
export interface RopeSettings {
  /** Angle per position of each pair of a head, in radians, [headSize / 2]; rounded where PyTorch rounds. */
  frequencies: Float32Array;
  /** Factor of cosines and sines: 1 except for YaRN. */
  attentionFactor: number;
}

/** Context of a scaling rule. */
interface Context {
  headSize: number;
  theta: number;
  maxPositions: number;
  /** Returns a parameter of the rule. Throws when it is absent and has no fallback. */
  number(name: string, fallback?: number): number;
  parameters: Record<string, unknown>;
}

type Rule = (context: Context) => RopeSettings;

/** Rules by `rope_type`; the formulas are those of transformers' `modeling_rope_utils`. */
const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries<Rule>({
    default: (context) => ({ frequencies: unscaled(context), attentionFactor: 1 }),
    linear: (context) => {
      const factor = context.number('factor');
      return { frequencies: unscaled(context).map((frequency) => frequency / factor), attentionFactor: 1 };
    },
    // Scales only sequences longer than max_position_embeddings, which are refused.
    dynamic: (context) => ({ frequencies: unscaled(context), attentionFactor: 1 }),
    llama3,
    yarn,
  }),
);

/**
 * Reads the parameters of a rotary embedding as in `config.json`. Throws when they are
 * not valid.
 *
 * @param where beginning of the error's message
 */
export function parseRope(
  parameters: Record<string, unknown>,
  sizes: { headSize: number; maxPositions: number },
  where: string,
): RopeSettings {
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  const rule = typeof type === 'string' ? RULES.get(type) : undefined;
  if (!rule)
    throw new Error(
      `${where}: rope_type ${describe(type)} is not supported (supported: ${[...RULES.keys()].join(', ')})`,
    );
  const number = (name: string, fallback?: number) => {
    const value = parameters[name] ?? fallback;
    if (typeof value !== 'number' || !(value > 0 && value < Infinity)) {
      throw new Error(
        `${where}: rope_type ${type as string} needs ${name} as a positive number, not ${describe(parameters[name])}`,
      );
    }
    return value;
  };
  if (Number(parameters.partial_rotary_factor ?? 1) !== 1) {
    throw new Error(
      `${where}: partial_rotary_factor ${describe(parameters.partial_rotary_factor)} is not supported (supported: 1)`,
    );
  }
  const rope = rule({ ...sizes, theta: number('rope_theta'), number, parameters });
  if (![...rope.frequencies, rope.attentionFactor].every(Number.isFinite)) {
    throw new Error(
      `${where}: the parameters of rope_type ${type as string} give angles that are no numbers: ${describe(parameters)}`,
    );
  }
  return rope;
}

/** Returns θ^(2i / headSize) for each pair i: positions per radian. */
function wavelengths({ headSize, theta }: Context): Float32Array {
  return Float32Array.from({ length: headSize / 2 }, (_, i) => theta ** Math.fround((2 * i) / headSize));
}

function unscaled(context: Context): Float32Array {
  return wavelengths(context).map((wavelength) => 1 / wavelength);
}

/** Returns Llama 3.1's embedding: low frequencies are divided by `factor`, high ones kept, those between blended. */
function llama3(context: Context): RopeSettings {
  const { number, maxPositions } = context;
  const factor = number('factor');
  const low = number('low_freq_factor');
  const high = number('high_freq_factor');
  const original = number('original_max_position_embeddings', maxPositions);
  const frequencies = unscaled(context).map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    if (turns < low) return frequency / factor;
    if (turns > high) return frequency;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
  return { frequencies, attentionFactor: 1 };
}

/** Returns YaRN's embedding (Peng et al. 2023), which interpolates low frequencies, keeps high ones, and sharpens attention. */
function yarn(context: Context): RopeSettings {
  const { number, parameters, headSize, theta, maxPositions } = context;
  const original = number('original_max_position_embeddings', maxPositions);
  const factor = number('factor', maxPositions / original);
  const scale = (mscale: number) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1);
  const inferred =
    parameters.mscale && parameters.mscale_all_dim
      ? scale(number('mscale')) / scale(number('mscale_all_dim'))
      : scale(1);

  // The pair that makes so many turns within the original length.
  const pairOf = (turns: number) => (headSize * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const truncate = parameters.truncate !== false;
  const bound = (turns: number, round: (x: number) => number) => (truncate ? round(pairOf(turns)) : pairOf(turns));
  const first = Math.max(bound(number('beta_fast', 32), Math.floor), 0);
  const last = Math.min(bound(number('beta_slow', 1), Math.ceil), headSize - 1);
  const width = first === last ? 0.001 : last - first;
  const frequencies = wavelengths(context).map((wavelength, i) => {
    const interpolated = Math.min(Math.max((i - first) / width, 0), 1);
    return interpolated / (factor * wavelength) + (1 - interpolated) / wavelength;
  });
  return { frequencies, attentionFactor: number('attention_factor', inferred) };
}
