import type { Random } from './random';

/** How the next token is chosen, by transformers' names. */
export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the most likely token. 1 by default. */
  temperature: number;
  /** Only the so many most likely tokens; 0 (the default) means all. */
  topK: number;
  /** Only the most likely tokens that together have this probability; 1 (the default) means all. */
  topP: number;
  /** Only tokens at least this fraction as likely as the most likely one; 0 (the default) means all. */
  minP: number;
  /** Logits of tokens that occurred already are divided (if negative, multiplied) by it; 1 (the default) changes nothing. */
  repetitionPenalty: number;
}

/** Checks settings as a user gave them; an error names the setting and its valid values. */
export function checkSampling(options: SamplingOptions): void {
  const check = (valid: boolean, name: keyof SamplingOptions, wanted: string) => {
    if (!valid) throw new Error(`${name} must be ${wanted}, not ${options[name]}`);
  };
  check(options.temperature >= 0 && Number.isFinite(options.temperature), 'temperature', 'a number of at least 0 (0 takes the most likely token)');
  check(Number.isInteger(options.topK) && options.topK >= 0, 'topK', 'an integer of at least 0 (0 means all tokens)');
  check(options.topP > 0 && options.topP <= 1, 'topP', 'greater than 0 and at most 1 (1 means all tokens)');
  check(options.minP >= 0 && options.minP <= 1, 'minP', 'from 0 (all tokens) to 1');
  check(options.repetitionPenalty > 0, 'repetitionPenalty', 'a positive number (1 changes nothing)');
}

/** A chosen token and its log-probability. */
export interface Choice {
  token: number;
  logprob: number;
}

/**
 * Chooses tokens. One sampler serves all rows of a batch of the same
 * vocabulary; each row has its own stream of random numbers.
 */
export class Sampler {
  private readonly probabilities: Float64Array;

  constructor(
    private readonly options: SamplingOptions,
    vocabulary: number,
  ) {
    this.probabilities = new Float64Array(vocabulary);
  }

  /**
   * The next token from its logits. Its log-probability is that of the
   * distribution at the temperature, before topK, topP and minP take tokens
   * out, as TRL compares it in training; with temperature 0 at temperature 1.
   */
  choose(logits: Float32Array, seen: ReadonlySet<number>, random: Random): Choice {
    const { probabilities: p } = this;
    const { temperature, repetitionPenalty } = this.options;
    for (let i = 0; i < p.length; i++) p[i] = logits[i];
    if (repetitionPenalty !== 1) {
      for (const token of seen) p[token] = p[token] < 0 ? p[token] * repetitionPenalty : p[token] / repetitionPenalty;
    }
    let best = 0;
    for (let i = 1; i < p.length; i++) if (p[i] > p[best]) best = i;
    const highest = p[best];
    const factor = temperature === 0 ? 1 : 1 / temperature;
    let total = 0;
    for (let i = 0; i < p.length; i++) total += p[i] = Math.exp((p[i] - highest) * factor);
    const token = temperature === 0 ? best : this.draw(this.truncate(total), random);
    // Truncation has set the others to 0; the drawn one is as it was.
    return { token, logprob: Math.log(p[token] / total) };
  }

  /** Sets tokens that are taken out to 0 and returns the sum of the rest. */
  private truncate(total: number): number {
    const { topK, topP, minP } = this.options;
    const { probabilities: p } = this;
    if ((topK === 0 || topK >= p.length) && topP === 1 && minP === 0) return total;
    const order = Array.from(p.keys()).sort((a, b) => p[b] - p[a] || a - b);
    let kept = topK === 0 ? order.length : Math.min(topK, order.length);
    let among = 0;
    for (let i = 0; i < kept; i++) among += p[order[i]];
    if (topP < 1) kept = countUntil(order, kept, p, topP * among);
    // The most likely token has p = 1 here, so minP is a threshold as it is.
    while (kept > 1 && p[order[kept - 1]] < minP) kept--;
    let rest = 0;
    for (let i = 0; i < order.length; i++) {
      if (i < kept) rest += p[order[i]];
      else p[order[i]] = 0;
    }
    return rest;
  }

  private draw(total: number, random: Random): number {
    const { probabilities: p } = this;
    let remaining = random.next() * total;
    let last = 0;
    for (let i = 0; i < p.length; i++) {
      if (p[i] === 0) continue;
      last = i;
      remaining -= p[i];
      if (remaining < 0) break;
    }
    return last;
  }
}

/** How many of the first `limit` tokens it takes for their probabilities to reach `goal`. */
function countUntil(order: readonly number[], limit: number, p: Float64Array, goal: number): number {
  let sum = 0;
  for (let i = 0; i < limit; i++) {
    sum += p[order[i]];
    if (sum >= goal) return i + 1;
  }
  return limit;
}
