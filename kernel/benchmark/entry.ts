import type { ReferenceReturns } from '../environments/reference';

/** What a policy is. `sampled`: it writes several strategies. */
export type PolicyKind = 'model' | 'chat' | 'program' | 'function' | 'random' | 'constant';

/** A strategy of a policy, and how it played. */
export interface Attempt {
  /** Seed of sampling; `null` where nothing was sampled. */
  seed: number | null;
  /** The strategy's source; `null` where the completion had none. */
  code: string | null;
  /** Why it does not play; the completion is kept then. */
  problem?: string;
  completion?: string;
  /**
   * What each start counts, in the order of the entry's `seeds`; `null` before it has
   * played. Where the strategy does not play, or breaks its episode off, that is as
   * little as the reward function `episodeReturn` gives for it.
   */
  returns: number[] | null;
  /** Mean over the validation starts, where it played them. */
  validation?: number;
  /** Episodes that it broke off. */
  failures: number;
  promptTokens: number;
  completionTokens: number;
  /** Seconds in which it was written. */
  seconds: number;
}

/** Settings of a model that writes strategies. */
export interface SampleSettings {
  attempts: number;
  validationEpisodes: number;
  temperature: number;
  topP: number;
  maxNewTokens: number;
  seed: number;
}

/** The result of one policy in one environment: plain data, as the leaderboard's file has it. */
export interface BenchmarkEntry {
  policy: string;
  kind: PolicyKind;
  /** Tells what the policy was: a digest of weights or source, or the model and its address. Never a key. */
  identity: string;
  /** The name of the environment, its kind and its options. */
  environment: { name: string; kind: string; options: Record<string, unknown> };
  /** Digest of the prompt that models got. */
  prompt?: string;
  /** Returns of chance and constants, and a human's; `null` where they cannot be measured. */
  reference: ReferenceReturns | null;
  maxSteps: number;
  strategyTimeLimit: number;
  /** The starts. */
  seeds: number[];
  /** `null` for policies that write nothing. */
  sampling: SampleSettings | null;
  attempts: Attempt[];
  /** Why there are fewer attempts than there should be, in one line. */
  stopped?: string;
  /** Joylab's version. */
  version: string;
  /** When it was played last, as ISO 8601. */
  date: string;
}

/** Returns what tells entries apart: a later run with the same replaces one. */
export function entryKey(entry: Omit<BenchmarkEntry, 'attempts' | 'stopped' | 'date' | 'reference'>): string {
  const { policy, kind, identity, environment, prompt, maxSteps, strategyTimeLimit, seeds, sampling, version } = entry;
  return JSON.stringify([
    policy,
    kind,
    identity,
    sorted(environment),
    prompt ?? null,
    maxSteps,
    strategyTimeLimit,
    seeds,
    sampling && sorted(sampling),
    version,
  ]);
}

/** Returns what entries have in common that can be compared: environment, starts, steps. */
export function comparableKey({ environment, maxSteps, seeds }: BenchmarkEntry): string {
  return JSON.stringify([sorted(environment), maxSteps, seeds]);
}

/** Returns an object with its fields, at any depth, in alphabetical order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [name, sorted(field)]);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns the returns of the attempts that have played: [attempts, starts]. */
export function returnsOf({ attempts }: BenchmarkEntry): number[][] {
  return attempts.flatMap(({ returns }) => (returns ? [returns] : []));
}

/** Returns the attempt that played best on the validation starts; `undefined` where none played them. */
export function bestAttempt({ attempts }: BenchmarkEntry): Attempt | undefined {
  const played = attempts.filter(({ returns, validation }) => returns && validation !== undefined);
  return played.reduce<Attempt | undefined>(
    (best, one) => (best && best.validation! >= one.validation! ? best : one),
    undefined,
  );
}

/** Returns whether all that was asked for is there. */
export function isComplete({ sampling, attempts, stopped }: BenchmarkEntry): boolean {
  return (
    stopped === undefined &&
    attempts.length === (sampling?.attempts ?? 1) &&
    attempts.every(({ returns }) => returns !== null)
  );
}
