import { isDeepStrictEqual } from 'node:util';
import { checkNesting } from '../common/nesting';
import { resolveSettings } from '../common/settings';
import { episodeBundle, textBundle } from '../display/pictures/episode';
import { cellContext, type MimeBundle } from '../display/cellContext';
import type { RolloutEnvironment } from '../environments/environment';
import { Episode, type EpisodeRecord } from '../episodes/episode';
import { frameInterval, observationFrames, type EpisodeFrames } from '../episodes/frames';
import { recordedPolicy, type Policy } from './policies';
import { checkPlayable, replayDeclaration, type ReplayOptions } from './settings';
import { playOne } from './single';

/**
 * Plays an episode again, from its seed and actions, and resolves to its frames; after
 * it `display(episode)` shows them. Only the servers of `env` are used: the options
 * are the episode's own.
 *
 * @throws TypeError when `env` is another environment
 * @throws Error when it does not go as recorded: another version of the game, of ALE
 *   or of the environment, or a server that does not follow seeds
 */
export async function replay(
  episode: EpisodeRecord,
  env: RolloutEnvironment,
  options: ReplayOptions = {},
): Promise<EpisodeFrames> {
  const { frames } = await playAgain(episode, env, options);
  if (episode instanceof Episode) remember(episode, { frames });
  return frames;
}

/** Where an episode was played, and its frames: kept as long as the episode is, and not saved with it. */
interface Origin {
  env?: RolloutEnvironment;
  frames?: EpisodeFrames;
}

const origins = new WeakMap<Episode, Origin>();

/** Records the environment in which an episode was played, or its frames, so that it can be displayed. */
export function remember(episode: Episode, origin: Origin): void {
  origins.set(episode, { ...origins.get(episode), ...origin });
}

/**
 * Returns an episode as a MIME bundle with its frames: those that were kept, else made
 * again in the environment where it was played.
 */
export async function displayEpisode(episode: Episode): Promise<MimeBundle> {
  const { env, frames } = origins.get(episode) ?? {};
  if (!frames && !env && !episode.observations)
    return textBundle(episode, 'To see it play: await replay(episode, env), then display it.');
  try {
    return episodeBundle(episode, await framesOf(episode));
  } catch (error) {
    return textBundle(episode, `Its frames could not be made again: ${error instanceof Error ? error.message : error}`);
  }
}

/** Resolves to the frames of an episode: those that were kept, else made again in the environment where it was played. */
export async function framesOf(episode: Episode, options: ReplayOptions = {}): Promise<EpisodeFrames> {
  const { env, frames } = origins.get(episode) ?? {};
  return frames ?? (env?.draws ? (await playAgain(episode, env, options)).frames : drawnFrames(env, episode));
}

/** Resolves to the frames of an episode whose servers sent none: those of its class, where that is in this process and draws, else its observations as text. */
export async function drawnFrames(
  env: RolloutEnvironment | undefined,
  episode: EpisodeRecord,
  every = frameInterval(episode.actions.length),
): Promise<EpisodeFrames> {
  return (await env?.redraw?.(episode, every)) ?? observationFrames(episode, every);
}

/**
 * Plays actions, given by their IDs or as they are, and resolves to the episode: what a person has played, as
 * a record like any other. It ends as the environment says, or is truncated after the last action.
 */
export async function playActions(env: RolloutEnvironment, seed: number, actions: unknown[]): Promise<Episode> {
  checkPlayable(env);
  const job = { id: 0, seed, maxSteps: actions.length, seconds: Infinity, every: 0 };
  const policy = recordedPolicy(actions);
  const { record } = await playOne(env, job, async () => policy, cellContext().signal);
  const isOver = record.end.reason === 'terminated';
  const episode = new Episode(
    isOver ? record : { ...record, end: { reason: 'truncated', message: 'the player stopped' } },
  );
  remember(episode, { env });
  return episode;
}

/**
 * Plays an episode again, as {@link replay} does, and resolves to its frames and to the
 * record, whose named state the episode itself may lack.
 *
 * @param watched returns the policy that makes the recorded choices, or one that watches it
 */
export async function playAgain(
  episode: EpisodeRecord,
  given: RolloutEnvironment,
  options: ReplayOptions,
  watched = (policy: Policy): Policy => policy,
): Promise<{ frames: EpisodeFrames; record: EpisodeRecord }> {
  checkPlayable(given);
  const { every = frameInterval(episode.actions.length) } = resolveSettings(replayDeclaration, options);
  if (episode.environment !== given.spec.environment) {
    throw new TypeError(
      `The episode was played in '${episode.environment}'; this environment is '${given.spec.environment}'.`,
    );
  }
  for (const action of episode.actionValues ?? []) checkNesting(action, 'An action of the episode');
  const signal = options.signal ?? cellContext().signal;
  const env = given.withOptions?.(episode.options) ?? given;
  const { seed, actions, actionValues } = episode;
  // It is over when there are no more choices.
  const job = { id: 0, seed, maxSteps: Infinity, seconds: Infinity, every };
  const policy = watched(recordedPolicy(actions.map((action) => actionValues?.[action] ?? action)));
  const { record, frames } = await playOne(env, job, async () => policy, signal);
  signal.throwIfAborted();
  compare(episode, record);
  return { frames: frames ?? (await drawnFrames(env, episode, every)), record };
}

/** Throws when a replay differs from the recorded episode. */
function compare(recorded: EpisodeRecord, played: EpisodeRecord): void {
  for (let step = 0; step <= recorded.actions.length; step++) {
    const difference = differenceAt(step, recorded, played);
    if (!difference) continue;
    throw new Error(
      `The replay went another way than the episode: ${step === 0 ? `the reset with seed ${recorded.seed}` : `step ${step}`} ${difference}. ` +
        (recorded.observations
          ? 'The server does not follow the seed (an environment has to draw all that is random from the seed of its reset), or it serves another version of the environment.'
          : 'It was played with another version of the game, of ALE or of the environment, or its record was changed.'),
    );
  }
}

/** Returns what differs at a step, in words; step 0 is the reset. */
function differenceAt(step: number, recorded: EpisodeRecord, played: EpisodeRecord): string | undefined {
  const { actions, rewards, lives, states, observations, end } = recorded;
  const last = actions.length;
  if (step > played.actions.length) return `was not played: ${played.end.message ?? played.end.reason}`;
  const observation = observations?.[step];
  if (observation && !isDeepStrictEqual(played.observations?.[step], observation)) return 'gave another observation';
  if (step > 0 && played.rewards[step - 1] !== rewards[step - 1])
    return `gave a reward of ${played.rewards[step - 1]}, recorded is ${rewards[step - 1]}`;
  if (step > 0 && played.lives[step - 1] !== lives[step - 1])
    return `left ${played.lives[step - 1]} lives, recorded are ${lives[step - 1]}`;
  // Only what is recorded: a newer version may know more of the game.
  const other = Object.keys(played.states).find(
    (name) => Number.isFinite(states[name]?.[step]) && states[name][step] !== played.states[name][step],
  );
  if (other !== undefined) return `led to ${other} = ${played.states[other][step]}, recorded is ${states[other][step]}`;
  const isOver = step === played.actions.length && ['terminated', 'truncated'].includes(played.end.reason);
  if (isOver && step < last) return `ended the episode, ${last} steps are recorded`;
  if (step > 0 && step === last && end.reason === 'terminated' && played.end.reason !== 'terminated')
    return 'did not end the episode, as is recorded';
  return undefined;
}
