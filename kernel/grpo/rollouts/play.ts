import type { ReferenceReturns } from '../../environments/reference';
import type { EpisodeFrames } from '../../rollout';
import type { RolloutEnvironment } from '../../environments/environment';
import { OpenEnvError } from '../../openenv/errors';
import type { Sample } from '../../rewards/sample';
import type { ResolvedConfig } from '../config';
import type { StepContext } from '../context';

/** A completion of any engine: TRL's arguments of a reward function, and the environment seed of its strategy. */
export interface Completion {
  /** The prompt and the completion as texts. */
  prompt: string;
  completion: string;
  completionIds: number[];
  /** The other columns of the prompt's row in the data set. */
  columns?: Record<string, unknown>;
  /** Seed of the environment; completions of a group share theirs. */
  environmentSeed: number;
}

/** The parts of a {@link StepContext} that {@link play} uses. */
export interface PlayContext
  extends Pick<StepContext, 'env' | 'reference' | 'step' | 'secret' | 'signal'>,
    Pick<StepContext, 'frames' | 'live'> {
  config: Pick<ResolvedConfig, 'maxEpisodeSteps' | 'strategyTimeLimit'>;
}

/** Completions that have played, as samples for reward functions. */
export interface Rollouts {
  samples: Sample[];
  /** Frames of some episodes, by index of the sample. */
  frames: Map<number, EpisodeFrames>;
}

/**
 * Extracts the strategies of completions, checks them, and plays an episode with
 * each. Without an environment there are no episodes: reward functions may call the
 * strategies themselves.
 *
 * @throws the signal's reason when aborted
 */
export async function play(completions: readonly Completion[], context: PlayContext): Promise<Rollouts> {
  const samples = await extractStrategies(completions, context);
  return playSamples(
    samples,
    completions.map(({ environmentSeed }) => environmentSeed),
    context,
  );
}

/**
 * Returns a sample for each completion, with its strategy and the findings of
 * the check; none has played.
 *
 * @throws the signal's reason when aborted
 */
export async function extractStrategies(
  completions: readonly Completion[],
  { reference, step, signal }: PlayContext,
): Promise<Sample[]> {
  const { extractFunction } = require('../../strategy') as typeof import('../../strategy');
  const { checkCodeAsync } = require('../../strategy/check') as typeof import('../../strategy/check');
  const samples: Sample[] = [];
  for (const { prompt, completion, completionIds, columns } of completions) {
    const code = extractFunction(completion);
    const problems = code === null ? [] : await checkCodeAsync(code);
    samples.push({
      ...columns,
      prompt,
      completion,
      completionIds,
      code,
      problems,
      episode: null,
      step,
      ...(reference !== undefined && { reference }),
    });
    signal.throwIfAborted();
  }
  return samples;
}

/** Returns the source that a sample may play; `null` when there is none, or the check found a problem. */
export function playableCode({ code, problems }: Sample): string | null {
  return problems.length === 0 ? code : null;
}

/**
 * Plays samples, each from its own environment seed.
 *
 * @param seeds one per sample
 * @param codes the source that each plays; `null`: it does not play
 * @param shown number of the first samples that are shown
 * @returns the samples with their episodes, or with an `environmentError` when the environment failed
 * @throws the signal's reason when aborted
 */
export async function playSamples(
  samples: readonly Sample[],
  seeds: number[],
  { env, config, frames, live, secret, signal }: PlayContext,
  codes: Array<string | null> = samples.map(playableCode),
  shown = samples.length,
): Promise<Rollouts> {
  if (!env || samples.length === 0) return { samples: [...samples], frames: new Map() };
  const { rollout } = require('../../rollout') as typeof import('../../rollout');
  const framed = codes.flatMap((code, i) => (code === null || i >= shown ? [] : [i])).slice(0, frames?.() ?? 0);
  const played = await rollout(env, codes, {
    seeds,
    maxSteps: config.maxEpisodeSteps,
    strategyTimeLimit: config.strategyTimeLimit,
    secret,
    signal,
    live: live?.(samples.slice(0, shown), codes),
    ...(framed.length > 0 && { frames: { episodes: framed, every: 4, packed: true } }),
  });
  signal.throwIfAborted();
  return {
    samples: samples.map((sample, i) => {
      const episode = played.episodes[i];
      return episode?.end.reason === 'environment_error'
        ? { ...sample, environmentError: episode.end.message }
        : { ...sample, episode };
    }),
    frames: played.frames,
  };
}

/**
 * Measures the returns of random and of constant actions in the environment of a
 * run, for its samples; `null` when that is not possible, undefined when there is
 * no environment or `measureReference` is off.
 *
 * @throws the signal's reason when aborted
 */
export async function measureReference(
  env: RolloutEnvironment | null,
  config: Pick<ResolvedConfig, 'measureReference' | 'maxEpisodeSteps'>,
  signal: AbortSignal,
): Promise<ReferenceReturns | null | undefined> {
  if (!env || !config.measureReference) return undefined;
  const { referenceReturns } = require('../../rollout/reference') as typeof import('../../rollout/reference');
  try {
    return await referenceReturns(env, { maxSteps: config.maxEpisodeSteps, signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof OpenEnvError)) throw error;
    console.warn(
      `What chance gets in ${env.name} could not be measured, so normalizedReturn has no scale there. ${error.code}: ${error.message}`,
    );
    return null;
  }
}
