import type { Picture, VectorEnv } from '../environments/vectorEnv';
import { observationText } from '../episodes/observationText';
import type { LiveEpisode, PixelScreen } from '../episodes/live';
import { ABORTED, type Job, type Recording } from './recording';

/** Milliseconds between two pictures of an episode, at least. */
const INTERVAL = 200;
/** Share of a vector environment's time that its pictures may take: where they take long, they are fewer. */
const SHARE = 0.02;

/** An episode as a thread tells of it: its environment may have to draw the picture. */
export interface LiveShot extends Omit<LiveEpisode, 'picture'> {
  job: Job;
  picture?: Picture;
  /** Stands for the picture where the environment draws none. */
  text?: string;
}

/** Where pictures of episodes go while they play. */
export interface LiveQueue {
  /** Returns whether somebody looks at an episode now. */
  wants(job: Job): boolean;
  show(episodes: LiveShot[], screen?: PixelScreen): void;
}

/** Shows the episodes of one vector environment while they play. It only looks: episodes are the same with and without. */
export class LivePictures {
  /** Time from which on the next pictures may be made. */
  private due = 0;
  /** Milliseconds that pictures take. */
  private cost = 0;

  constructor(
    private readonly env: VectorEnv,
    private readonly queue: LiveQueue,
  ) {}

  /** Shows running episodes, if they are due, and those that have just ended. */
  async look(running: readonly Recording[]): Promise<void> {
    const begun = performance.now();
    const shown = running.filter(
      ({ job, end }) => (begun >= this.due || end) && end !== ABORTED && this.queue.wants(job),
    );
    if (shown.length === 0) return;
    const drawn = shown.filter(({ end }) => end?.reason !== 'environment_error');
    // An environment that is lost says so at the next step.
    const pictures = (await this.env.render?.(drawn.map(({ index }) => index)).catch(() => undefined)) ?? [];
    const pictureOf = new Map(drawn.map((episode, i) => [episode, pictures[i]]));
    this.queue.show(
      shown.map((episode) => shotOf(episode, pictureOf.get(episode))),
      this.env.screen,
    );
    if (begun >= this.due) this.wait(performance.now() - begun);
  }

  /** Sets when the next pictures may be made, after some that took `cost` milliseconds: one that took long says little, on a machine that has other work. */
  private wait(cost: number): void {
    this.cost = Math.min(cost, 2 * Math.max(this.cost, INTERVAL * SHARE));
    this.due = performance.now() + Math.max(INTERVAL, this.cost / SHARE);
  }
}

function shotOf(episode: Recording, picture: Picture | undefined): LiveShot {
  const drawn = typeof picture === 'string' || picture instanceof Uint8Array;
  const text = drawn ? undefined : observationText(episode.seen.state);
  return { job: episode.job, ...episode.soFar(), picture, text };
}
