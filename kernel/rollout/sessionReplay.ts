import { isDeepStrictEqual } from 'node:util';
import { checkNesting } from '../common/nesting';
import type { SessionEnvironment } from '../environments/environment';
import { OpenEnvError } from '../openenv/errors';
import type { StepResult } from '../openenv/protocol';
import type { EpisodeRecord } from './episode';
import { whatIsSeen } from './sessionGame';
import { sessionServers, type GameSession } from './sessions';

/** Milliseconds to wait for a session where the servers are full, and between two tries. */
const PATIENCE = 10_000;
const WAIT = 100;

/** Plays an episode again in a session of its own. Rejects where anything differs from the record. */
export async function replaySession(episode: EpisodeRecord, env: SessionEnvironment, signal: AbortSignal): Promise<void> {
  for (const action of episode.actionValues ?? []) checkNesting(action, 'An action of the episode');
  const session = await openAny(env, signal);
  const stop = (): void => void session.close().catch(() => {});
  signal.addEventListener('abort', stop);
  try {
    check(episode, 0, await session.reset({ seed: episode.seed }));
    for (let step = 1; step <= episode.actions.length; step++) {
      signal.throwIfAborted();
      check(episode, step, await session.step(episode.actionValues![episode.actions[step - 1]]));
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await session.close().catch(() => {});
  }
}

/** A session on the first server with room. A full one may have room once the environment gives its own session back. */
async function openAny(env: SessionEnvironment, signal: AbortSignal): Promise<GameSession> {
  const start = performance.now();
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    let error: unknown;
    for (const server of sessionServers(env.sessionSource)) {
      try {
        return await server.open();
      } catch (failure) {
        error = failure;
      }
    }
    if (!(error instanceof OpenEnvError && error.code === 'CAPACITY_REACHED') || performance.now() - start > PATIENCE) throw error;
    if (tries === 0) await env.release?.();
    else await new Promise((resolve) => setTimeout(resolve, WAIT));
  }
}

/** Compares what a step gave with the record; step 0 is the reset. */
function check({ seed, actions, rewards, observations, end }: EpisodeRecord, step: number, { observation, reward, done }: StepResult): void {
  const seen = whatIsSeen(observation);
  const recorded = observations![step];
  const differs =
    recorded && !isDeepStrictEqual(seen, recorded) ? 'gave another observation'
    : step > 0 && Number(reward ?? 0) !== rewards[step - 1] ? `gave a reward of ${reward}, recorded is ${rewards[step - 1]}`
    : done && step < actions.length ? `ended the episode, ${actions.length} steps are recorded`
    : !done && step === actions.length && end.reason === 'terminated' ? 'did not end the episode'
    : undefined;
  if (!differs) return;
  const where = step === 0 ? `the reset with seed ${seed}` : `step ${step}`;
  throw new Error(
    `The replay went another way than the episode: ${where} ${differs}. The server does not follow the seed ` +
      '(an environment has to draw all that is random from the seed of its reset), or it serves another version of the environment.',
  );
}
