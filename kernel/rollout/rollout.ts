import { cellContext } from '../display/cellContext';
import { withProgress } from '../display/progress/progress';
import type { RolloutEnvironment } from '../environments/environment';
import { OpenEnvError } from '../openenv/errors';
import { analyseAsync, type Analysis } from '../strategy/analysis';
import { DEFAULT_LIMITS, type SandboxLimits } from '../strategy/outcome';
import { checkedSecret, processSecret, randomState } from '../strategy/secret';
import { Episode } from '../episodes/episode';
import type { EpisodeFrames } from '../episodes/frames';
import { playInPool } from './pool';
import type { StrategyJob } from './protocol';
import type { Job, Played } from './recording';
import { drawnFrames, remember } from './replay';
import {
  checkedLimits,
  checkPlayable,
  checkSeed,
  rolloutDeclaration,
  unlessAborted,
  type RolloutOptions,
} from './settings';

/** The result of {@link rollout}. */
export interface RolloutResult {
  /** Episode i was played by `codes[i]`; `null` where that is `null`. */
  episodes: (Episode | null)[];
  /** Frames by position of the episode. */
  frames: Map<number, EpisodeFrames>;
}

/**
 * Plays strategies, each a whole episode in a sub-environment and a sandbox of its
 * own, spread over all cores. `codes[i]` (JavaScript or TypeScript) starts from
 * `seeds[i]`; `null` plays nothing.
 *
 * #### Notes
 * - What a strategy does ends only its own episode: see {@link EpisodeEnd}.
 * - The same codes and seeds (and secret, for those that draw random numbers) give the
 *   same episodes, number for number, whatever the number of workers; except that a
 *   strategy close to its time limit may or may not keep it.
 * - Equal codes with the same seed are played once, and get copies of the record.
 * - Aborted, it resolves within 0.2 s; unfinished episodes end as `aborted`.
 * - An episode that the environment does not play to its end, twice where its session
 *   was lost, ends as `environment_error` and does not count; a warning tells how
 *   many.
 *
 * @throws TypeError or RangeError for wrong arguments
 * @throws OpenEnvError when the environment can play none of them
 */
export async function rollout(
  env: RolloutEnvironment,
  codes: (string | null)[],
  options: RolloutOptions,
): Promise<RolloutResult> {
  checkPlayable(env);
  checkOptions(codes, options);
  const signal = options.signal ?? cellContext().signal;
  const { jobs, jobOf } = distinctJobs(codes, await analyses(codes, signal), options);
  const { workers, title, live } = options;
  const played = await playInPool(env, jobs, { workers, title, live, signal });
  reportErrors(
    env,
    jobOf.flatMap((job) => (job === null ? [] : [played[job]])),
  );
  const result: RolloutResult = { episodes: [], frames: new Map() };
  const wanted = new Set(options.frames?.episodes);
  const given = new Set<number>();
  for (const [i, job] of jobOf.entries()) {
    const episode = job === null ? null : episodeOf(env, played[job], given.has(job));
    if (job !== null) given.add(job);
    result.episodes.push(episode);
    if (episode && wanted.has(i))
      result.frames.set(i, played[job!].frames ?? (await drawnFrames(env, episode, options.frames!.every)));
  }
  return result;
}

/** Warns, in one line, of all episodes that the environment could not play. Throws when it could play none. */
function reportErrors(env: RolloutEnvironment, played: Played[]): void {
  const errors = played.flatMap(({ error }) => error ?? []);
  if (errors.length === 0) return;
  const [{ code, message }] = errors;
  if (errors.length === played.length) throw new OpenEnvError(code, message);
  console.warn(
    `${env.name}: ${errors.length} of ${played.length} episodes could not be played and do not count. ${code}: ${message.split('\n')[0]}`,
  );
}

/**
 * Returns an episode of a record.
 *
 * @param again whether another episode has the record already, so that this one gets a
 *   copy
 */
function episodeOf(env: RolloutEnvironment, { record }: Played, again: boolean): Episode {
  const episode = new Episode(again ? structuredClone(record) : record);
  remember(episode, { env });
  return episode;
}

/** Returns the analyses of codes; after an abort, of some. */
async function analyses(codes: (string | null)[], signal: AbortSignal): Promise<Map<string, Analysis>> {
  const known = new Map<string, Analysis>();
  const distinct = new Set(codes.filter((code) => code !== null));
  return withProgress('Compiling strategies', distinct.size, async (task) => {
    for (const code of distinct) {
      const analysis = await unlessAborted(analyseAsync(code), signal);
      if (!analysis) break;
      known.set(code, analysis);
      task.update(known.size);
    }
    return known;
  });
}

/** Returns one job for each distinct code and seed, and the index of each code's job. */
function distinctJobs(
  codes: (string | null)[],
  analyses: Map<string, Analysis>,
  options: RolloutOptions,
): { jobs: StrategyJob[]; jobOf: (number | null)[] } {
  const { strategyTimeLimit, callTimeLimit, maxSteps } = checkedLimits(rolloutDeclaration, options);
  const secret = options.secret ?? processSecret();
  const framed = new Set(options.frames?.episodes);
  const liveCount = options.live?.count ?? 0;
  const jobs: StrategyJob[] = [];
  const known = new Map<string, number>();
  const jobOf = codes.map((code, i) => {
    if (code === null) return null;
    const seed = options.seeds[i];
    const key = `${seed}\n${code}`;
    let position = known.get(key);
    if (position === undefined) {
      known.set(key, (position = jobs.length));
      const job = { id: position, seed, maxSteps, seconds: strategyTimeLimit, every: 0 };
      jobs.push(
        newJob(job, analyses.get(code) ?? UNKNOWN, {
          ...DEFAULT_LIMITS,
          callTimeLimit,
          randomState: randomState(seed, secret),
        }),
      );
    }
    if (i < liveCount) (jobs[position].livePlaces ??= []).push(i);
    if (framed.has(i)) {
      const { every, packed } = options.frames!;
      Object.assign(jobs[position], { every, packed });
    }
    return position;
  });
  return { jobs, jobOf };
}

/** The analysis of a code that is not played because of an abort. */
const UNKNOWN = { program: { javascript: '' }, problems: [] };

function newJob(
  job: Job,
  { program, problems }: Pick<Analysis, 'program' | 'problems'>,
  limits: SandboxLimits,
): StrategyJob {
  if (problems.length === 0) return { ...job, program, limits };
  const [{ line, reason }] = problems;
  return {
    ...job,
    program,
    limits,
    broken: { step: -1, failure: { reason: 'error', message: `SyntaxError: ${reason}`, line } },
  };
}

function checkOptions(codes: (string | null)[], { seeds, frames, secret }: RolloutOptions): void {
  if (!Array.isArray(codes)) throw new TypeError('rollout(env, codes, …): codes must be an array of sources or null.');
  codes.forEach((code, i) => {
    if (code !== null && typeof code !== 'string')
      throw new TypeError(`codes[${i}] must be the source of a strategy or null, not ${typeof code}.`);
  });
  if (!Array.isArray(seeds) || seeds.length !== codes.length) {
    throw new RangeError(
      `seeds must have one seed for each of the ${codes.length} codes, not ${seeds?.length ?? 'none'}.`,
    );
  }
  seeds.forEach(checkSeed);
  if (secret !== undefined) checkedSecret('secret', secret);
  if (!frames) return;
  const { every, episodes } = frames;
  if (!(Number.isInteger(every) && every >= 1 && every <= 255))
    throw new RangeError(`frames.every must be a whole number from 1 to 255, not ${every}.`);
  for (const i of episodes) {
    if (!(i in codes)) throw new RangeError(`frames.episodes: there is no episode ${i}; there are ${codes.length}.`);
  }
}
