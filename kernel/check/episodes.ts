import { mean } from '../common/statistics';
import type { RolloutEnvironment } from '../environments/environment';
import type { Episode } from '../episodes/episode';
import { rollout } from '../rollout/rollout';
import type { TriedPolicy } from './policies';

/** Starts that all policies play from, and those at a time. */
const STARTS = 16;
const BATCH = 4;
/** The first of the seeds: training draws its own below 2³¹. */
const FIRST_SEED = 2 ** 31 + 1000;
/** The secret of the policies' random numbers: the same report in every process. It need not be secret, these strategies are Joylab's own. */
const SECRET = 'what a check finds is the same in every process';

/** The returns of a policy: `returns[start][episode]`. */
export interface PolicyReturns {
  name: string;
  kind: TriedPolicy['kind'];
  returns: number[][];
}

/** What all policies got, from the same starts. */
export interface ReturnTable {
  starts: number;
  policies: PolicyReturns[];
  /** For each start, whether any episode had a reward above 0. */
  won: boolean[];
  episodes: number;
  /** Steps of an episode, at most, and how many of the episodes ended before. */
  maxSteps: number;
  ended: number;
  /** For a policy that did not play: why not. */
  failures: Map<string, string>;
}

export interface PlayedWithin {
  maxSteps: number;
  /** Ends the episodes under way; those starts do not count. */
  signal: AbortSignal;
}

/** Plays all policies from the same starts, as many as there is time for, 16 at most. */
export async function playPolicies(
  env: RolloutEnvironment,
  policies: readonly TriedPolicy[],
  { maxSteps, signal }: PlayedWithin,
): Promise<ReturnTable> {
  const table: ReturnTable = {
    starts: 0,
    policies: policies.map(({ name, kind }) => ({ name, kind, returns: [] })),
    won: [],
    episodes: 0,
    maxSteps,
    ended: 0,
    failures: new Map(),
  };
  while (table.starts < STARTS && !signal.aborted) await playBatch(env, policies, table, { maxSteps, signal });
  return table;
}

/** Plays from some more starts. Those from which all episodes were played count, also where the time is up meanwhile. */
async function playBatch(
  env: RolloutEnvironment,
  policies: readonly TriedPolicy[],
  table: ReturnTable,
  { maxSteps, signal }: PlayedWithin,
): Promise<void> {
  const first = table.starts;
  const last = Math.min(first + BATCH, STARTS);
  const starts = Array.from({ length: last - first }, (_, i) => first + i);
  const jobs = starts.flatMap((start) =>
    policies.flatMap(({ codes }, policy) => codes.map((code) => ({ policy, code, start }))),
  );
  const { episodes } = await rollout(
    env,
    jobs.map(({ code }) => code),
    {
      seeds: jobs.map(({ start }) => FIRST_SEED + start),
      maxSteps,
      secret: SECRET,
      signal,
      title: `Checking ${env.name}, episodes of starts ${first + 1} to ${last} of ${STARTS}`,
    },
  );
  for (const start of starts) {
    const own = jobs.flatMap((job, i) => (job.start === start ? [{ ...job, episode: episodes[i] }] : []));
    if (own.some(({ episode }) => episode?.end.reason === 'aborted')) break;
    table.won[start] = false;
    for (const { returns } of table.policies) returns[start] = [];
    for (const { policy, episode } of own) note(table, policy, start, episode);
    table.starts++;
  }
}

function note(table: ReturnTable, policy: number, start: number, episode: Episode | null): void {
  if (!episode) return;
  const { name, returns } = table.policies[policy];
  const { reason, message = reason } = episode.end;
  if (reason !== 'terminated' && reason !== 'truncated') {
    if (!table.failures.has(name)) table.failures.set(name, message);
    return;
  }
  table.episodes++;
  if (reason === 'terminated' || episode.steps < table.maxSteps) table.ended++;
  returns[start].push(episode.return);
  table.won[start] ||= episode.rewards.some((reward) => reward > 0);
}

/** Returns the mean of a policy from each start; `undefined` where it has not played from all. */
export function byStart({ returns }: PolicyReturns): number[] | undefined {
  return returns.length > 0 && returns.every((own) => own.length > 0) ? returns.map((own) => mean(own)) : undefined;
}
