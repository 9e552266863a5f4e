import { setImmediate as turn } from 'node:timers/promises';
import type { RolloutEnvironment } from '../environments/environment';
import type { ReferenceReturns } from '../environments/reference';
import { OpenEnvError } from '../openenv/errors';
import { mean } from '../common/statistics';
import { withProgress } from '../display/progress/progress';
import type { Episode } from '../episodes/episode';
import { episodeReturn } from '../rewards';
import { executeWithTimeLimit } from '../rollout/execute';
import { rollout } from '../rollout/rollout';
import type { Attempt } from './entry';

/** Where, and from which starts, attempts play. */
export interface Playing {
  env: RolloutEnvironment;
  reference: ReferenceReturns | null;
  seeds: readonly number[];
  /** Starts by which the best attempt is chosen; empty: none is. */
  validationSeeds: readonly number[];
  maxSteps: number;
  strategyTimeLimit: number;
  signal: AbortSignal;
}

/** The secret of strategies' random numbers, so that a later run gets the same. No model has learned from what it gave. */
const SECRET = 'what is played in a benchmark of Joylab is the same in every process';

/** The first of the starts that are reported by default, and of those that choose: training draws others, of its secret. */
const FIRST_SEED = 1_000_001;
const FIRST_VALIDATION_SEED = 2_000_001;

/** Returns the starts that are reported. */
export function startsOf(seeds: number | readonly number[]): number[] {
  return typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => FIRST_SEED + i) : [...seeds];
}

/** Returns starts to choose by: none of those that are reported. */
export function validationStarts(count: number, reported: readonly number[]): number[] {
  const taken = new Set(reported);
  const starts: number[] = [];
  for (let seed = FIRST_VALIDATION_SEED; starts.length < count; seed++) if (!taken.has(seed)) starts.push(seed);
  return starts;
}

/**
 * Plays the attempts that have not played yet. Resolves to them with their returns.
 *
 * @throws OpenEnvError where the environment fails; the signal's reason when aborted
 */
export async function playAttempts(attempts: readonly Attempt[], playing: Playing): Promise<Attempt[]> {
  const { env, seeds, validationSeeds, maxSteps, strategyTimeLimit, signal } = playing;
  const starts = [...seeds, ...validationSeeds];
  const waiting = attempts.filter(({ returns }) => returns === null);
  const codes = waiting.map(({ code, problem }) => (problem === undefined ? code : null));
  if (codes.length === 0) return [...attempts];
  const { episodes } = await rollout(
    env,
    codes.flatMap((code) => starts.map(() => code)),
    { seeds: codes.flatMap(() => starts), maxSteps, strategyTimeLimit, secret: SECRET, signal },
  );
  signal.throwIfAborted();
  const played = new Map(
    waiting.map((attempt, i) => [attempt, episodes.slice(i * starts.length, (i + 1) * starts.length)]),
  );
  return attempts.map((attempt) =>
    played.has(attempt) ? withReturns(attempt, played.get(attempt)!, playing) : attempt,
  );
}

/**
 * Plays a function of this process, one episode after another.
 *
 * @throws OpenEnvError where the environment fails; the signal's reason when aborted
 */
export async function playFunction(choose: (state: any) => unknown, name: string, playing: Playing): Promise<Attempt> {
  const { env, seeds, maxSteps, strategyTimeLimit, signal } = playing;
  const episodes: Episode[] = [];
  await withProgress(`Playing ${name}`, seeds.length, async (task) => {
    for (const seed of seeds) {
      episodes.push(await executeWithTimeLimit(choose, env, { seed, maxSteps, strategyTimeLimit, signal }));
      // An environment of this process may never pause, and an interrupt arrives in a pause.
      await turn();
      signal.throwIfAborted();
      task.update(episodes.length);
    }
  });
  return withReturns(newAttempt(String(choose)), episodes, { ...playing, validationSeeds: [] });
}

/** Returns an attempt of a policy that writes nothing. */
export function newAttempt(code: string): Attempt {
  return { seed: null, code, returns: null, failures: 0, promptTokens: 0, completionTokens: 0, seconds: 0 };
}

function withReturns(attempt: Attempt, episodes: Array<Episode | null>, { reference, seeds, env }: Playing): Attempt {
  const lost = episodes.find((episode) => episode?.end.reason === 'environment_error');
  if (lost) throw new OpenEnvError('EXECUTION_ERROR', `${env.name} could not play an episode. ${lost.end.message}`);
  const counted = episodes.map((episode) => episodeReturn({ episode, reference }));
  const failures = episodes.slice(0, seeds.length).filter((episode) => episode?.failed).length;
  return {
    ...attempt,
    returns: counted.slice(0, seeds.length),
    failures,
    ...(counted.length > seeds.length && { validation: mean(counted.slice(seeds.length)) }),
  };
}
