import type { EpisodeSpec, VectorEnv, VectorEnvs } from '../environments/vectorEnv';
import { OpenEnvError } from '../openenv/errors';
import { actionSpace } from './actions';
import { LivePictures, type LiveQueue } from './live';
import type { Policy } from './policies';
import { ABORTED, Recording, type Job, type Played } from './recording';

/** First and longest pause between two tries to open a vector environment on full servers, in milliseconds. */
const BACK_OFF = { first: 20, longest: 1000 };
/** Milliseconds that a rollout waits for its first vector environment. */
const LONGEST_WAIT = 120_000;

/** Where jobs come from and their episodes go. */
export interface Queue {
  /** Largest number of concurrent episodes. */
  concurrency: number;
  /** Returns whether a job waits to be played. */
  waiting(): boolean;
  /** Takes the next job; `undefined` when there are no more. */
  take(): Job | undefined;
  /** Resolves to the policy of a job, started afresh. */
  policy(job: Job): Promise<Policy>;
  done(played: Played): void;
  /** Where pictures of the episodes go while they play. */
  live?: LiveQueue;
  aborted(): boolean;
  /** Changes the count of open vector environments of all threads of the rollout by +1, −1 or 0, and returns it. */
  open(change: number): number;
  /**
   * Called when all servers are full, or do not answer, and no thread of the rollout has
   * had a vector environment for `milliseconds`.
   */
  waits(why: 'full' | 'away', milliseconds: number): void;
}

/**
 * Plays the jobs of a queue in the vector environments of a source. How episodes share
 * these changes nothing in them. A policy's failure is part of its episode; rejects
 * when the environment fails as a whole.
 *
 * #### Notes
 * Where one vector environment can replace another, an episode whose own was lost is
 * played once more, from its start, after the others: it may be what broke the server.
 * What cannot be played ends as `environment_error`.
 */
export function play(envs: VectorEnvs, spec: EpisodeSpec, queue: Queue): Promise<void> {
  return new Play(envs, spec, queue).run();
}

class Play {
  private readonly space;
  /** Jobs to play again because their vector environment was lost, and all jobs that ever were among them. */
  private readonly again: Job[] = [];
  private readonly repeated = new Set<Job>();
  private readonly loops = new Set<Promise<void>>();
  /** Episodes that further vector environments may take. */
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
    const { queue, loops } = this;
    let [backOff, since] = [BACK_OFF.first, performance.now()];
    while (!queue.aborted()) {
      if (!this.waiting() && loops.size === 0) break;
      const found = this.waiting() && this.room > 0 ? await this.envs.open(this.room) : 'busy';
      if (typeof found === 'object') {
        backOff = BACK_OFF.first;
        this.start(found);
        continue;
      }
      if (loops.size > 0 || queue.open(0) > 0) since = performance.now();
      const waited = performance.now() - since;
      if (loops.size === 0 && (found === 'none' || waited > LONGEST_WAIT)) break;
      const wanting = found === 'full' || found === 'away';
      if (wanting && queue.open(0) === 0) queue.waits(found, waited);
      await Promise.race(wanting ? [...loops, pause(backOff)] : loops);
      backOff = Math.min(2 * backOff, BACK_OFF.longest);
    }
    await Promise.all(loops);
    if (!queue.aborted()) this.giveUp();
  }

  /** Returns whether a job waits for a sub-environment. */
  waiting(): boolean {
    return this.again.length > 0 || this.queue.waiting();
  }

  /** Returns the next job's episode for a sub-environment; `undefined` when none waits. */
  async next(index: number): Promise<Recording | undefined> {
    const job = this.queue.take() ?? this.again.shift();
    return job && new Recording(job, await this.queue.policy(job), index, this.spec, this.space);
  }

  /** Plays in a vector environment. */
  private start(env: VectorEnv): void {
    this.room -= env.numEnvs;
    this.queue.open(1);
    const loop = new EpisodeLoop(env, this);
    const ended = (): void => {
      this.room += env.numEnvs;
      this.queue.open(-1);
      this.loops.delete(playing);
    };
    // One that failed stays among them: all are waited for.
    const playing = loop
      .play()
      .catch((error) => this.lost(error, loop.running))
      .then(ended);
    playing.catch(() => {});
    this.loops.add(playing);
  }

  /**
   * Plays the episodes of a lost vector environment again, or ends them where that has
   * happened before. Throws the error where nothing can replace it.
   */
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

  /** Ends the jobs that are left when no server can be reached: all jobs, where no other thread of the rollout plays. */
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
 * Plays the episodes of one vector environment in lockstep: every policy chooses, one
 * request steps them all. A sub-environment that becomes free takes the next job.
 */
class EpisodeLoop {
  running: Recording[] = [];
  /** Sub-environments without an episode, the first of them last. */
  private readonly free: number[];
  private readonly pictures: LivePictures | undefined;

  constructor(
    private readonly env: VectorEnv,
    private readonly all: Play,
  ) {
    this.free = Array.from({ length: env.numEnvs }, (_, i) => env.numEnvs - 1 - i);
    this.pictures = all.queue.live && new LivePictures(env, all.queue.live);
  }

  /** Plays until no episode is left. Rejects when the environment is lost, with the unfinished episodes in `running`. */
  async play(): Promise<void> {
    try {
      for (;;) {
        await this.begin();
        if (this.running.length === 0) break;
        await this.step();
      }
    } finally {
      for (const { policy } of this.running) policy!.dispose();
      await this.env.close().catch(() => {}); // it may be lost
    }
  }

  /** Starts waiting jobs in the free sub-environments. */
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

  /** Takes a step of every episode. */
  private async step(): Promise<void> {
    for (const episode of this.running) {
      if (episode.end) continue;
      if (this.all.queue.aborted()) episode.end = ABORTED;
      else episode.choose();
    }
    await this.settle();
    if (this.running.length === 0) return;
    const answer = await this.env.step(
      indicesOf(this.running),
      this.running.map(({ action }) => action),
    );
    this.running.forEach((episode, i) => episode.follow(answer, i));
    await this.settle();
  }

  /** Shows the episodes to those who look on, hands over those that are over, and frees their sub-environments. */
  private async settle(): Promise<void> {
    await this.pictures?.look(this.running);
    for (const episode of this.running) if (episode.end) await episode.drawEnd(this.env);
    this.running = this.running.filter((episode) => {
      if (!episode.end) return true;
      this.free.push(episode.index);
      this.all.queue.done(episode.played(this.env));
      return false;
    });
  }
}

function indicesOf(episodes: readonly Recording[]): number[] {
  return episodes.map(({ index }) => index);
}

/** Groups episodes by the frames that they need: a reset has one setting for all. */
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
