import { mean } from '../common/statistics';
import type { RolloutEnvironment } from '../environments/environment';
import type { Episode } from '../episodes/episode';
import { rollout } from '../rollout/rollout';
import type { TriedPolicy } from './policies';

/** Starts of each batch. */
const BATCHES = [2, 2, 4, 4, 4];
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
  /** Milliseconds that there are. */
  time: number;
}

/** Plays all policies from the same starts, as many as there is time for, 16 at most. */
export async function playPolicies(
  env: RolloutEnvironment,
  policies: readonly TriedPolicy[],
  { maxSteps, signal, time }: PlayedWithin,
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
  const began = performance.now();
  for (const size of BATCHES) {
    const passed = performance.now() - began;
    const needed = table.starts > 0 ? (passed / table.starts) * size : 0;
    if (signal.aborted || passed + needed > time) break;
    await playBatch(env, policies, table, size, { maxSteps, signal });
  }
  return table;
}

async function playBatch(
  env: RolloutEnvironment,
  policies: readonly TriedPolicy[],
  table: ReturnTable,
  size: number,
  { maxSteps, signal }: Omit<PlayedWithin, 'time'>,
): Promise<void> {
  const starts = Array.from({ length: size }, (_, i) => table.starts + i);
  const jobs = policies.flatMap(({ codes }, policy) =>
    codes.flatMap((code) => starts.map((start) => ({ policy, code, start }))),
  );
  const { episodes } = await rollout(
    env,
    jobs.map(({ code }) => code),
    {
      seeds: jobs.map(({ start }) => FIRST_SEED + start),
      maxSteps,
      secret: SECRET,
      signal,
      title: `Checking ${env.name}, episodes of starts ${table.starts + 1} to ${table.starts + size} of 16`,
    },
  );
  if (signal.aborted) return;
  for (const start of starts) table.won[start] = false;
  for (const { returns } of table.policies) for (const start of starts) returns[start] = [];
  for (const [i, { policy, start }] of jobs.entries()) note(table, policy, start, episodes[i]);
  table.starts += size;
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
