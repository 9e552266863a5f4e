import type { RolloutEnvironment } from '../environments/environment';
import type { Picture } from '../environments/vectorEnv';
import type { LiveEpisode, LiveView, PixelScreen } from '../episodes/live';
import type { StrategyJob, WorkerMessage } from './protocol';
import type { Played } from './recording';

type Shots = Extract<WorkerMessage, { type: 'live' }>['episodes'];

/** Tells a view of the jobs of a rollout that it may show. */
export class LiveJobs {
  constructor(
    private readonly view: LiveView,
    private readonly jobs: readonly StrategyJob[],
    private readonly env: RolloutEnvironment,
  ) {}

  /** Number of the first places that somebody looks at. */
  get wanted(): number {
    return this.view.wanted;
  }

  begun(position: number): void {
    this.tell(position, { steps: 0, return: 0 });
  }

  ended(position: number, { record: { rewards, end } }: Played): void {
    this.tell(position, { steps: rewards.length, return: rewards.reduce((sum, reward) => sum + reward, 0), end });
  }

  /** Shows episodes as a worker sees them. */
  show(shots: Shots, screen: PixelScreen | undefined): void {
    for (const { position, picture, text, ...shot } of shots)
      this.tell(position, { ...shot, picture: this.drawn(picture) ?? text }, screen);
  }

  private drawn(picture: Picture | undefined): LiveEpisode['picture'] {
    return typeof picture === 'object' && 'episodeId' in picture
      ? this.env.drawEpisode?.(picture.episodeId)
      : (picture as Uint8Array | string | undefined);
  }

  private tell(position: number, episode: LiveEpisode, screen?: PixelScreen): void {
    for (const place of this.jobs[position].livePlaces ?? []) this.view.show(place, episode, screen);
  }
}
