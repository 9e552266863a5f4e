import { host } from '../display/host';
import { environmentReader } from '../environments/reader';
import { VectorClient, type VectorStep } from '../openenv/vector';
import { checkPlayable, isVector, recordedName, remember, type RolloutEnvironment, type VectorRollouts } from './environments';
import { Episode, type EpisodeRecord } from './episode';
import { atariFrames, filmEvery, type EpisodeFrames } from './frames';

/** Options of {@link replay}. */
export interface ReplayOptions {
  /** Keep the first frame and one after every so many steps, 1 to 255. By default so many that there are 500 at most. */
  every?: number;
  /** Stops the replay. By default the interruption of the running cell. */
  signal?: AbortSignal;
}

/**
 * Plays an episode again, from its seed and actions, for its frames; after it
 * `display(episode)` shows them. `env` lends its servers: the options are the
 * episode's own.
 *
 * Rejects where it does not go as recorded: another version of the game, of
 * ALE or of the environment, or a server that does not follow seeds.
 */
export async function replay(episode: EpisodeRecord, env: RolloutEnvironment, options: ReplayOptions = {}): Promise<EpisodeFrames> {
  const frames = await playedAgain(episode, env, options);
  if (episode instanceof Episode) remember(episode, { frames });
  return frames;
}

/** As {@link replay}, and nothing keeps the frames. What observations show is taken from the record. */
export async function framesOf(episode: EpisodeRecord, env: RolloutEnvironment | undefined): Promise<EpisodeFrames> {
  if (!episode.observations) return playedAgain(episode, env!, {});
  const { picturesOf } = require('./pictures') as typeof import('./pictures');
  return picturesOf(episode, env);
}

async function playedAgain(episode: EpisodeRecord, env: RolloutEnvironment, options: ReplayOptions): Promise<EpisodeFrames> {
  checkPlayable(env);
  const every = options.every ?? filmEvery(episode.actions.length);
  if (!Number.isInteger(every) || every < 1 || every > 255) throw new RangeError(`every must be a whole number from 1 to 255, not ${every}.`);
  if (episode.environment !== recordedName(env)) {
    throw new TypeError(`The episode was played in '${episode.environment}'; this environment is '${recordedName(env)}'.`);
  }
  const signal = options.signal ?? host().signal;
  if (isVector(env)) return vectorFrames(episode, env, every, signal);
  const { replaySession } = require('./sessionReplay') as typeof import('./sessionReplay');
  const { picturesOf } = require('./pictures') as typeof import('./pictures');
  await replaySession(episode, env, signal);
  return picturesOf(episode, env, every);
}

async function vectorFrames(episode: EpisodeRecord, env: VectorRollouts, every: number, signal: AbortSignal): Promise<EpisodeFrames> {
  const [lane] = await env.vectorLanes(1);
  const client = await VectorClient.connect(lane.url, { numEnvs: 1, options: episode.options, messageTimeout: lane.messageTimeout, signal });
  try {
    return atariFrames(episode.options, await playAgain(client, episode, every, signal), every);
  } finally {
    await client.close();
  }
}

async function playAgain(client: VectorClient, episode: EpisodeRecord, every: number, signal: AbortSignal): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  const { readState } = environmentReader(episode.environment, episode.options);
  const see = (step: number, answer: VectorStep): void => {
    check(episode, step, answer, readState(answer.ram[0]));
    if (answer.frames[0]) frames.push(answer.frames[0]);
  };
  see(0, await client.reset([0], [episode.seed], { frames: every }));
  for (let step = 1; step <= episode.actions.length; step++) {
    signal.throwIfAborted();
    see(step, await client.step([0], [episode.actions[step - 1]]));
  }
  return frames;
}

/** Compares what a step gave with the record; step 0 is the reset. */
function check(episode: EpisodeRecord, step: number, { rewards, lives, terminated }: VectorStep, state: Record<string, number>): void {
  const { seed, actions, states, end } = episode;
  // Only what is recorded: a newer version may know more of the game.
  const other = Object.keys(state).find((name) => states[name]?.[step] !== undefined && states[name][step] !== state[name]);
  const difference =
    step > 0 && rewards[0] !== episode.rewards[step - 1] ? `gave a reward of ${rewards[0]}, recorded is ${episode.rewards[step - 1]}`
    : step > 0 && lives[0] !== episode.lives[step - 1] ? `left ${lives[0]} lives, recorded are ${episode.lives[step - 1]}`
    : other !== undefined ? `led to ${other} = ${state[other]}, recorded is ${states[other][step]}`
    : terminated[0] && step < actions.length ? `ended the game, ${actions.length} steps are recorded`
    : step > 0 && step === actions.length && end.reason === 'terminated' && !terminated[0] ? 'did not end the game, as is recorded'
    : undefined;
  if (!difference) return;
  throw new Error(
    `The replay went another way than the episode: ${step === 0 ? `the reset with seed ${seed}` : `step ${step}`} ${difference}. ` +
      'It was played with another version of the game, of ALE or of the environment, or its record was changed.',
  );
}
