import { settings } from '../settings';

/** Milliseconds for which the last frame stays before a looping playback starts again. */
const HOLD = 1000;

/** Receives the events of a playback. */
export interface PlaybackListener {
  /** Called when another frame is to be shown. */
  frame(index: number): void;
  /** Called when playing, speed or loop changes. */
  state(): void;
}

/** The position in a sequence of frames, which time moves while it plays. */
export class Playback {
  private at = 0;
  private running = false;
  private held = false;
  private rate = 1;
  private repeat = true;
  private request = 0;
  /** Time of the last tick, and the time not yet turned into frames, in milliseconds. */
  private last = 0;
  private rest = 0;
  /** Time of the last look for a frame that is due. */
  private drawn = 0;

  /** @param fps frames per second at speed 1 */
  constructor(
    readonly count: number,
    private readonly fps: number,
    private readonly listener: PlaybackListener,
  ) {}

  get index(): number {
    return this.at;
  }

  /** Returns whether it plays for the user, though perhaps held while it is out of view. */
  get playing(): boolean {
    return this.running;
  }

  get speed(): number {
    return this.rate;
  }

  set speed(value: number) {
    this.rate = value;
    this.listener.state();
  }

  get loop(): boolean {
    return this.repeat;
  }

  set loop(value: boolean) {
    this.repeat = value;
    this.listener.state();
  }

  /** Starts, from the beginning when at the end. */
  play(): void {
    if (this.running || this.count < 2) return;
    if (this.at === this.count - 1) this.move(0);
    this.running = true;
    this.schedule();
    this.listener.state();
  }

  pause(): void {
    if (!this.running) return;
    this.running = false;
    cancelAnimationFrame(this.request);
    this.listener.state();
  }

  toggle(): void {
    if (this.running) this.pause();
    else this.play();
  }

  /** Pauses and shows the frame `index`, or the nearest one. */
  seek(index: number): void {
    this.pause();
    this.move(index);
  }

  /** Stops the clock without pausing, or starts it again. */
  hold(held: boolean): void {
    if (held === this.held) return;
    this.held = held;
    cancelAnimationFrame(this.request);
    if (this.running && !held) this.schedule();
  }

  dispose(): void {
    this.running = false;
    cancelAnimationFrame(this.request);
  }

  private schedule(): void {
    if (this.held) return;
    this.last = performance.now();
    this.rest = 0;
    this.request = requestAnimationFrame(this.tick);
  }

  private readonly tick = (now: number): void => {
    this.rest += Math.max(0, now - this.last) * this.rate;
    this.last = now;
    // Browsers call at a rate of their own: a frame that is due within a millisecond is due.
    if (now - this.drawn >= 1000 / settings.framesPerSecond - 1) {
      this.drawn = now;
      this.advance();
    }
    if (this.running) this.request = requestAnimationFrame(this.tick);
  };

  private advance(): void {
    const end = this.count - 1;
    if (this.at === end) {
      if (!this.repeat) this.pause();
      else if (this.rest >= HOLD * this.rate) this.restart();
      return;
    }
    const frames = Math.floor((this.rest * this.fps) / 1000);
    if (frames === 0) return;
    this.rest -= (frames * 1000) / this.fps;
    this.move(this.at + frames);
    if (this.at === end) this.rest = 0;
  }

  private restart(): void {
    this.rest = 0;
    this.move(0);
  }

  private move(index: number): void {
    const next = Math.min(this.count - 1, Math.max(0, Math.round(index)));
    if (next === this.at) return;
    this.at = next;
    this.listener.frame(next);
  }
}
