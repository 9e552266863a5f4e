import type { RolloutEnvironment } from '../environments/environment';
import { openVectorEnvs } from '../environments/vectorEnv';
import { OpenEnvError } from '../openenv/errors';
import { actionSpace } from './actions';
import { play } from './play';
import type { Policy } from './policies';
import { ABORTED, Recording, type Job, type Played } from './recording';
import { unlessAborted } from './settings';

/** Milliseconds in which an episode must answer an abort with what was played so far. */
const ABORT = 100;

/** Plays one episode in this thread. Rejects with an `OpenEnvError` when the environment fails. */
export async function playOne(
  env: RolloutEnvironment,
  job: Job,
  policy: () => Promise<Policy>,
  signal: AbortSignal,
): Promise<Played> {
  let played = unplayed(env, job);
  const sources = await unlessAborted(env.vectorSources(1), signal);
  if (!sources) return played;
  const envs = openVectorEnvs(sources[0]);
  const jobs = [job];
  let [open, asked] = [0, false];
  const playing = play(envs, sources[0].spec, {
    concurrency: 1,
    waiting: () => jobs.length > 0,
    take: () => jobs.pop(),
    policy,
    done: (result) => void (played = result),
    aborted: () => signal.aborted,
    open: (change) => (open += change),
    waits: (why) => {
      if (asked || why !== 'full') return;
      asked = true;
      void env.release?.().catch(() => {});
    },
  });
  try {
    await unlessAborted(playing, signal);
    if (signal.aborted) await Promise.race([playing, new Promise((resolve) => setTimeout(resolve, ABORT))]);
  } finally {
    await envs.close();
  }
  if (played.error) throw new OpenEnvError(played.error.code, played.error.message);
  return played;
}

/** Returns the episode of a job that an abort came before. */
export function unplayed({ spec }: RolloutEnvironment, job: Job): Played {
  const recording = new Recording(job, undefined, 0, spec, actionSpace(spec));
  recording.end = ABORTED;
  return recording.played();
}
