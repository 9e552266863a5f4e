import { didNotPlay, type Sample } from './sample';

/*
 * Functions that make reward functions of others:
 *
 *   const plays = clip(normalizedReturn, -1, 2);
 *   const short = ramp(weight(survives, -1), { end: 50 });
 *
 * Each takes async functions, too, and passes on `null`, "does not apply". A
 * result has the name of what it was made of, and its text says how, so that
 * changes of a run are told by it.
 */

/** What a combinator returns for a function with this result: any number for a number. */
export type Combined<Result> =
  Result extends Promise<infer Value> ? Promise<Combined<Value>> : Result extends number ? number : Result;

/** A reward function to combine. */
export type Combinable<Input, Result> = (sample: Input) => Result;

/** The results of reward functions. */
export type Rewarded = number | null | Promise<number | null>;

/**
 * Returns a function with `factor` times the reward. In a cell `@reward weight=2` does
 * that for all of its functions, and the charts then show them without it.
 */
export function weight<Input, Result extends Rewarded>(
  score: Combinable<Input, Result>,
  factor: number,
): Combinable<Input, Combined<Result>> {
  checkNumber('weight', 'factor', factor);
  return combined('weight', score, [factor], (reward) => factor * reward);
}

/**
 * Returns a function whose reward is at least `low` and at most `high`, so that a few
 * large rewards do not make all others look alike.
 *
 * @throws RangeError when `low` is above `high`
 */
export function clip<Input, Result extends Rewarded>(
  score: Combinable<Input, Result>,
  low: number,
  high: number,
): Combinable<Input, Combined<Result>> {
  if (!(low <= high)) throw new RangeError(`clip: low (${low}) must not be above high (${high}).`);
  return combined('clip', score, [low, high], (reward) => Math.min(high, Math.max(low, reward)));
}

/** Options of {@link ramp}. */
export interface RampOptions {
  /** The training step until which the factor is `from`; 1 by default. */
  start?: number;
  /** The training step from which on it is `to`. */
  end: number;
  /** The factor at the start; 0 by default. */
  from?: number;
  /** The factor at the end; 1 by default. */
  to?: number;
}

/**
 * Returns a function whose reward is multiplied by a factor that goes evenly from
 * `from` to `to` while training goes from step `start` to step `end`: a help at the
 * beginning that is taken away (`from: 1, to: 0`), or a demand that comes later.
 *
 * #### Notes
 * The step is that of the sample, so that rollouts of an earlier step are worth the
 * same when they are scored again.
 *
 * @throws RangeError when `end` is not above `start`
 */
export function ramp<Input extends { readonly step: number }, Result extends Rewarded>(
  score: Combinable<Input, Result>,
  { start = 1, end, from = 0, to = 1 }: RampOptions,
): Combinable<Input, Combined<Result>> {
  if (!(end > start)) throw new RangeError(`ramp: end (${end}) must be above start (${start}).`);
  for (const [name, value] of Object.entries({ from, to })) checkNumber('ramp', name, value);
  return combined('ramp', score, [{ start, end, from, to }], (reward, { step }) => {
    const part = Math.min(1, Math.max(0, (step - start) / (end - start)));
    return (from + (to - from) * part) * reward;
  });
}

/**
 * Returns a function that applies only to samples for which `condition` is true; others
 * get `otherwise`, by default `null`: the function does not apply, and is left out of
 * their sum.
 *
 * #### Notes
 * Leaving a penalty out is a reward. Where a sample should not gain by failing the
 * condition, say what that costs: `otherwise: -1`.
 */
export function onlyIf<Input, Result extends Rewarded>(
  score: Combinable<Input, Result>,
  condition: (sample: Input) => boolean,
  { otherwise = null }: { otherwise?: number | null } = {},
): Combinable<Input, Combined<Result> | number | null> {
  const apply = (sample: Input): Combined<Result> | number | null =>
    condition(sample) ? (score(sample) as Combined<Result>) : otherwise;
  return named('onlyIf', score, [condition, { otherwise }], apply);
}

/**
 * Returns a function that gives partial credit: 1 where `measure` is `target`, less the
 * farther away it is, and 0 from a distance of `within` on. `null` where `measure` is
 * `null`.
 *
 * @throws RangeError when `within` is not above 0
 */
export function closeTo<Input, Result extends Rewarded>(
  measure: Combinable<Input, Result>,
  target: number,
  { within }: { within: number },
): Combinable<Input, Combined<Result>> {
  checkNumber('closeTo', 'target', target);
  if (!(within > 0)) throw new RangeError(`closeTo: within is a number above 0, not ${within}.`);
  const credit = (value: number): number => Math.max(0, 1 - Math.abs(value - target) / within);
  return combined('closeTo', measure, [target, { within }], credit);
}

/** Kinds that {@link novelty} remembers, at most; the oldest are forgotten. */
const MOST_KINDS = 20_000;

/**
 * Returns a function that rewards what was not there before: 1 for a kind that no
 * earlier step had, 1/√2 for one that one earlier step had, 1/√3 for two, and so on.
 * Samples that did not play get 0.
 *
 * #### Notes
 * - Steps are counted, not samples: the samples of one step do not take novelty from
 *   one another, and scoring again changes nothing.
 * - The memory is the function's own: it is empty when the cell is run again, and in
 *   another kernel.
 *
 * @param kindOf what two samples have in common that are not new to one another; by
 *   default the actions that were played. Without an environment say it: `({ completion })
 *   => completion`
 */
export function novelty(kindOf: (sample: Sample) => string | number = actions): (sample: Sample) => number {
  const steps = new Map<string | number, Set<number>>();
  const score = (sample: Sample): number => {
    if ((kindOf === actions || sample.code !== null) && didNotPlay(sample)) return 0;
    const kind = kindOf(sample);
    const known = steps.get(kind) ?? new Set();
    const earlier = [...known].filter((step) => step < sample.step).length;
    steps.set(kind, known.add(sample.step));
    if (steps.size > MOST_KINDS) steps.delete(steps.keys().next().value!);
    return 1 / Math.sqrt(1 + earlier);
  };
  return named('novelty', score, [kindOf], score);
}

function actions({ episode }: Sample): string {
  return episode?.actions.join() ?? '';
}

/** Returns a function that changes the number that another gives, now or later. */
function combined<Input, Result extends Rewarded>(
  combinator: string,
  score: Combinable<Input, Result>,
  args: unknown[],
  change: (reward: number, sample: Input) => number,
): Combinable<Input, Combined<Result>> {
  if (typeof score !== 'function')
    throw new TypeError(`${combinator}: the first argument is a reward function, as in ${combinator}(survives, …).`);
  // What is no number is passed on: the error for it names the function that gave it.
  const changed = (reward: unknown, sample: Input) => (typeof reward === 'number' ? change(reward, sample) : reward);
  const apply = (sample: Input): unknown => {
    const reward: unknown = score(sample);
    return reward instanceof Promise ? reward.then((value) => changed(value, sample)) : changed(reward, sample);
  };
  return named(combinator, score, args, apply as Combinable<Input, Combined<Result>>);
}

/** Gives a function the name of what it was made of, and a text that tells it from others. */
function named<Made extends (...args: never[]) => unknown>(
  combinator: string,
  score: (...args: never[]) => unknown,
  args: unknown[],
  made: Made,
): Made {
  const texts = [score, ...args].map((arg) => (typeof arg === 'function' ? String(arg) : JSON.stringify(arg)));
  return Object.defineProperties(made, {
    name: { value: made === (score as unknown) ? combinator : score.name, configurable: true },
    toString: { value: () => `${combinator}(${texts.join(', ')})`, configurable: true },
  });
}

function checkNumber(combinator: string, name: string, value: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RangeError(`${combinator}: ${name} is a finite number, not ${String(value)}.`);
}
