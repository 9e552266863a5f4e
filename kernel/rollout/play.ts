import type { EpisodeSpec, VectorEnv, VectorEnvs } from '../environments/vectorEnv';
import { OpenEnvError } from '../openenv/errors';
import { actionSpace } from './actions';
import type { Policy } from './policies';
import { ABORTED, Recording, type Job, type Played } from './recording';

/** Milliseconds between two looks for room on full servers: the first wait, and the longest. */
const BACK_OFF = { first: 20, longest: 1000 };
/** Milliseconds that a rollout waits for its first vector environment. */
const LONGEST_WAIT = 120_000;

/** The source of jobs, and the place where their episodes go. */
export interface Queue {
  /** Episodes at a time, at most. */
  concurrency: number;
  /** Returns whether a job waits to be played. */
  waiting(): boolean;
  /** Takes the next job, or nothing when there are no more. */
  take(): Job | undefined;
  /** The policy of a job, started afresh. */
  policy(job: Job): Promise<Policy>;
  done(played: Played): void;
  aborted(): boolean;
  /** Counts the open vector environments of all threads of the rollout: by +1, −1 or 0. Gives their number. */
  open(change: number): number;
  /** All servers are full, or do not answer, and no thread of the rollout has had a vector environment for so many milliseconds. */
  waits(why: 'full' | 'away', milliseconds: number): void;
  /** A vector environment of a thread that has nothing to do, with room for so many episodes; nothing where there is none. */
  steal?(numEnvs: number): Promise<VectorEnv | undefined>;
  /** A vector environment was closed that was played to the end. */
  closed?(env: VectorEnv): void;
}

/**
 * Plays the jobs of a queue in the vector environments of a source. How
 * episodes share these changes nothing in them. What a policy does is in what
 * was played; rejects where the environment fails as a whole.
 *
 * #### Notes
 * Where one vector environment can replace another, an episode whose own was
 * lost is played once more, from its start, after the others: it may be what
 * broke the server. What cannot be played ends as `environment_error`.
 */
export function play(envs: VectorEnvs, spec: EpisodeSpec, queue: Queue): Promise<void> {
  return new Play(envs, spec, queue).run();
}

class Play {
  private readonly space;
  /** Jobs whose vector environment was lost, and all that were ever among them. */
  private readonly again: Job[] = [];
  private readonly repeated = new Set<Job>();
  private readonly groups = new Set<Promise<void>>();
  /** Episodes that more vector environments may have. */
  private room: number;

  constructor(
    private readonly envs: VectorEnvs,
    private readonly spec: EpisodeSpec,
    readonly queue: Queue,
  ) {
    this.space = actionSpace(spec);
    this.room = queue.concurrency;
  }

  async run(): Promise<void> {
    const { queue, groups } = this;
    let [backOff, since] = [BACK_OFF.first, performance.now()];
    while (!queue.aborted()) {
      if (!this.waiting() && groups.size === 0) break;
      const found = this.waiting() && this.room > 0 ? await this.envs.open(this.room) : 'busy';
      if (typeof found === 'object') {
        backOff = BACK_OFF.first;
        this.start(
          found,
          Array.from({ length: found.numEnvs }, (_, i) => found.numEnvs - 1 - i),
          [],
          found.numEnvs,
        );
        continue;
      }
      if (groups.size > 0 || queue.open(0) > 0) since = performance.now();
      const waited = performance.now() - since;
      if (groups.size === 0 && (found === 'none' || waited > LONGEST_WAIT)) break;
      const wanting = found === 'full' || found === 'away';
      if (wanting && queue.open(0) === 0) queue.waits(found, waited);
      await Promise.race(wanting ? [...groups, pause(backOff)] : groups);
      backOff = Math.min(2 * backOff, BACK_OFF.longest);
    }
    await Promise.all(groups);
    if (!queue.aborted()) this.giveUp();
  }

  /** Returns whether a job waits for room. */
  waiting(): boolean {
    return this.again.length > 0 || this.queue.waiting();
  }

  /** Starts the next job in a sub-environment, where one waits. */
  async next(index: number): Promise<Recording | undefined> {
    const job = this.queue.take() ?? this.again.shift();
    return job && new Recording(job, await this.queue.policy(job), index, this.spec, this.space);
  }

  /** Plays in a vector environment, or goes on there with episodes under way. `room`: what it takes of the room for all. */
  start(env: VectorEnv, free: number[], running: Recording[], room = 0): void {
    this.room -= room;
    this.queue.open(1);
    const group = new Group(env, this, free, running);
    const ended = (): void => {
      this.room += room;
      this.queue.open(-1);
      this.groups.delete(playing);
    };
    // One that failed stays among them: all are waited for.
    const playing = group
      .play()
      .catch((error) => this.lost(error, group.running))
      .then(ended);
    playing.catch(() => {});
    this.groups.add(playing);
  }

  /** A vector environment was lost with these episodes. */
  private lost(error: unknown, episodes: Recording[]): void {
    if (!this.envs.replaces || !(error instanceof OpenEnvError)) throw error;
    for (const episode of episodes) {
      const { job } = episode;
      if (this.queue.aborted()) episode.end = ABORTED;
      else if (this.repeated.has(job)) episode.fail(error);
      else this.again.push(job);
      this.repeated.add(job);
      if (episode.end) this.queue.done(episode.played());
    }
  }

  /** Ends the jobs that are left when no server is: all, where no other thread of the rollout plays. */
  private giveUp(): void {
    for (;;) {
      const job = this.again.shift() ?? (this.queue.open(0) === 0 ? this.queue.take() : undefined);
      if (!job) return;
      const unplayed = new Recording(job, undefined, 0, this.spec, this.space);
      unplayed.fail(this.envs.failure(LONGEST_WAIT));
      this.queue.done(unplayed.played());
    }
  }
}

/**
 * The episodes of one vector environment, in lockstep: every policy chooses,
 * one request steps them all. A sub-environment that falls free takes the next
 * job; when none waits, half of the episodes move to a vector environment of a
 * thread that has nothing to do.
 */
class Group {
  /** `free`: sub-environments without an episode. */
  constructor(
    private readonly env: VectorEnv,
    private readonly all: Play,
    private readonly free: number[],
    public running: Recording[],
  ) {}

  /** Plays until no episode is left. Where the environment is lost, those that were not over are. */
  async play(): Promise<void> {
    try {
      for (;;) {
        await this.begin();
        if (this.running.length === 0) break;
        await this.step();
        await this.part();
      }
    } finally {
      for (const { policy } of this.running) policy!.dispose();
      await this.env.close().catch(() => {}); // it may be lost
    }
    this.all.queue.closed?.(this.env);
  }

  /** Takes as many of the jobs that wait as there is room for. */
  private async begin(): Promise<void> {
    const { all, free, env } = this;
    const starting: Recording[] = [];
    while (free.length > 0 && !all.queue.aborted()) {
      const episode = await all.next(free.at(-1)!);
      if (!episode) break;
      free.pop();
      starting.push(episode);
      this.running.push(episode);
    }
    for (const episodes of byFrames(starting)) {
      const answer = await env.reset(
        indicesOf(episodes),
        episodes.map(({ job }) => job.seed),
        { every: episodes[0].job.every },
      );
      episodes.forEach((episode, i) => episode.begin(answer, i));
    }
  }

  /** A step of every episode. */
  private async step(): Promise<void> {
    for (const episode of this.running) {
      if (episode.end) continue;
      if (this.all.queue.aborted()) episode.end = ABORTED;
      else episode.choose();
    }
    this.settle();
    if (this.running.length === 0) return;
    const answer = await this.env.step(
      indicesOf(this.running),
      this.running.map(({ action }) => action),
    );
    this.running.forEach((episode, i) => episode.follow(answer, i));
    this.settle();
  }

  /** Sees off the episodes that are over. */
  private settle(): void {
    this.running = this.running.filter((episode) => {
      if (!episode.end) return true;
      this.free.push(episode.index);
      this.all.queue.done(episode.played(this.env));
      return false;
    });
  }

  /** Moves half of the episodes, where no job waits and another thread has nothing to do. */
  private async part(): Promise<void> {
    const { all, env, running } = this;
    const count = running.length >> 1;
    if (count === 0 || !env.saveState || all.waiting()) return;
    const other = await all.queue.steal?.(count);
    if (!other) return;
    const moved = running.slice(-count);
    await other.restoreState!(
      moved.map((_, i) => i),
      await env.saveState(indicesOf(moved)),
    );
    moved.forEach((episode, i) => (episode.index = i));
    running.length -= count;
    all.start(other, [], moved);
  }
}

function indicesOf(episodes: readonly Recording[]): number[] {
  return episodes.map(({ index }) => index);
}

/** Episodes that want the same frames: a reset has one setting for all. */
function byFrames(episodes: readonly Recording[]): Recording[][] {
  const groups = new Map<number, Recording[]>();
  for (const episode of episodes) {
    const { every } = episode.job;
    groups.set(every, [...(groups.get(every) ?? []), episode]);
  }
  return [...groups.values()];
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
