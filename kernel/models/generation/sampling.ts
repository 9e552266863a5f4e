import type { Random } from '../../common/random';
import type { SamplingOptions } from './generateOptions';

/** A token and its log-probability. */
export interface TokenLogprob {
  token: number;
  logprob: number;
}

/** A chosen token. */
export interface Choice extends TokenLogprob {
  /** The most likely tokens in its place, the first of all first, where they are asked for. */
  top?: TokenLogprob[];
}

/** What a choice depends on besides the probabilities. */
export interface ChoiceContext {
  random: Random;
  /** Tokens that cannot be chosen now. */
  forbidden?: Iterable<number> | null;
  /** Number of the most likely tokens to tell. 0 by default. */
  top?: number;
}

/** Probabilities are classed by their leading bits, which are ordered as the values: 1, the largest, is 0x3f80…. */
const CLASS_SHIFT = 16;
const CLASSES = (0x3f80 >>> 0) + 2;

/**
 * Chooses tokens. One sampler serves all rows of a batch of the same
 * vocabulary; each row has its own stream of random numbers.
 */
export class Sampler {
  private readonly counts = new Uint32Array(CLASSES);
  private readonly masses = new Float64Array(CLASSES);

  constructor(private readonly options: SamplingOptions) {}

  /** Divisor of logits: the temperature, or 1 where the most likely token is taken. */
  get divisor(): number {
    return this.options.temperature || 1;
  }

  /** Whether probabilities depend on earlier tokens, so that only {@link probabilities} can compute them. */
  get penalizes(): boolean {
    return this.options.repetitionPenalty !== 1;
  }

  /**
   * Returns the probabilities of the next token from its logits, [vocabulary]: after the
   * repetition penalty, at the temperature.
   */
  probabilities(logits: Float32Array, seen: Iterable<number>): Float32Array {
    const { repetitionPenalty: penalty } = this.options;
    const p = Float32Array.from(logits);
    if (this.penalizes) for (const token of seen) p[token] = p[token] < 0 ? p[token] * penalty : p[token] / penalty;
    let highest = -Infinity;
    for (let i = 0; i < p.length; i++) if (p[i] > highest) highest = p[i];
    let total = 0;
    for (let i = 0; i < p.length; i++) total += p[i] = Math.exp((p[i] - highest) / this.divisor);
    for (let i = 0; i < p.length; i++) p[i] /= total;
    return p;
  }

  /**
   * Chooses the next token from the probabilities p at the temperature, which it
   * changes. Its log-probability is that before topK, topP and minP, as TRL compares it
   * in training.
   */
  choose(p: Float32Array, { random, forbidden, top = 0 }: ChoiceContext): Choice {
    if (forbidden) for (const token of forbidden) p[token] = 0;
    if (top > 0) return { top: mostLikelyOf(p, top), ...this.choose(p, { random, forbidden }) };
    const { temperature, topK, topP, minP } = this.options;
    if (temperature === 0) return chosen(p, mostLikely(p));
    const truncates = (topK > 0 && topK < p.length) || topP < 1 || minP > 0;
    if (truncates) this.truncate(p);
    // What is left of the probabilities; as long as they are whole, that is 1.
    const total = truncates || forbidden ? sum(p) : 1;
    // Truncation sets others to 0; the drawn one is as it was.
    return chosen(p, draw(p, random.next() * total) ?? mostLikely(p));
  }

  /** Sets the probabilities of excluded tokens to 0, in transformers' order: topK, then topP of what is left, then minP. */
  private truncate(p: Float32Array): void {
    const { topK, topP, minP } = this.options;
    if (topK > 0 && topK < p.length) this.keepMostLikely(p, topK, Infinity);
    if (topP < 1) this.keepMostLikely(p, Infinity, topP * sum(p));
    if (minP > 0) {
      const least = minP * p[mostLikely(p)];
      for (let i = 0; i < p.length; i++) if (p[i] < least) p[i] = 0;
    }
  }

  /**
   * Keeps the most likely tokens: `count`, or as few as together have the probability
   * `mass`. Tokens are counted by classes of similar probability, so that only the class
   * in which the limit falls has to be sorted.
   */
  private keepMostLikely(p: Float32Array, count: number, mass: number): void {
    const { counts, masses } = this;
    const bits = new Uint32Array(p.buffer, p.byteOffset, p.length);
    counts.fill(0);
    masses.fill(0);
    for (let i = 0; i < p.length; i++) {
      const of = bits[i] >>> CLASS_SHIFT;
      counts[of]++;
      masses[of] += p[i];
    }
    let border = CLASSES - 1;
    while (border > 0 && counts[border] < count && masses[border] < mass) {
      count -= counts[border];
      mass -= masses[border];
      border--;
    }
    const inBorder: number[] = [];
    for (let i = 0; i < p.length; i++) {
      const of = bits[i] >>> CLASS_SHIFT;
      if (of === border) inBorder.push(i);
      else if (of < border) p[i] = 0;
    }
    inBorder.sort((a, b) => p[b] - p[a] || a - b);
    for (const token of inBorder) {
      const kept = count > 0 && mass > 0;
      count--;
      mass -= p[token];
      if (!kept) p[token] = 0;
    }
  }
}

function mostLikely(p: Float32Array): number {
  let best = 0;
  for (let i = 1; i < p.length; i++) if (p[i] > p[best]) best = i;
  return best;
}

/** Returns the `count` most likely tokens, the most likely first. */
function mostLikelyOf(p: Float32Array, count: number): TokenLogprob[] {
  const best: number[] = [];
  for (let token = 0; token < p.length; token++) {
    if (best.length === count && p[token] <= p[best[count - 1]]) continue;
    let at = best.length;
    while (at > 0 && p[best[at - 1]] < p[token]) at--;
    best.splice(at, 0, token);
    if (best.length > count) best.pop();
  }
  return best.map((token) => chosen(p, token));
}

function sum(p: Float32Array): number {
  let total = 0;
  for (let i = 0; i < p.length; i++) total += p[i];
  return total;
}

/** Returns the first token at which the cumulative probability exceeds `mass`; `undefined` where rounding keeps it below. */
function draw(p: Float32Array, mass: number): number | undefined {
  let remaining = mass;
  for (let i = 0; i < p.length; i++) {
    remaining -= p[i];
    if (remaining < 0) return i;
  }
  return undefined;
}

function chosen(p: Float32Array, token: number): Choice {
  return { token, logprob: Math.log(p[token]) };
}
