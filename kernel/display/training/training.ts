import { randomUUID } from 'node:crypto';
import { cellContext, type Comm } from '../cellContext';
import {
  TRAINING_COMM,
  type EpisodeData,
  type PlayingGroup,
  type RolloutGroup,
  type RunProblem,
  type SavedCheckpoint,
  type TrainingControl,
  type TrainingData,
  type TrainingEvent,
  type TrainingMessage,
  type TrainingStatus,
  type TrainingViewMessage,
} from '../mime';
import type { ExperimentData } from '../experimentMime';
import type { RewardsData } from '../rewardsMime';
import type { ProgressPlace, Stage } from '../progress/progress';
import type { LiveView } from '../../episodes/live';
import { compareExperiments } from './experiment';
import { keptRollouts } from './keptRollouts';
import { LiveGroup } from './live';
import { progressLine, trainingBundle } from './trainingBundle';

/** An episode of the newest group: `frames` are the deflated frames that `data.frames` leaves empty. */
export interface GroupEpisode {
  data: EpisodeData;
  frames: Uint8Array;
}

/** The newest group: its rollouts' episodes, `null` where one did not play. */
export interface ShownGroup extends Omit<RolloutGroup, 'episodes'> {
  episodes: Array<GroupEpisode | null>;
}

/** Milliseconds between two updates of the output in the notebook. */
const updateInterval = 1000;
/** The same while a view is connected: the output is then only for the notebook's file. */
const updateIntervalWithView = 5000;

/**
 * The output of a training run: under the cell, updated at most once a second,
 * and live in every view that connects. Outside of notebooks it prints a line
 * per step.
 */
export class TrainingOutput {
  private readonly views = new Set<View>();
  private displayId = '';
  private shownAt = 0;
  private timer: NodeJS.Timeout | null = null;
  private shown = false;
  /** Shows the progress of the run in its output, without delay. */
  readonly place: ProgressPlace = { delay: 0, show: (stage) => this.stage(stage) };
  /** Does what a view asks for; `null` until the run can. */
  control: ((control: TrainingControl) => void) | null = null;
  /** Plays a rollout of a step again, for a view; `null` where the run has none. */
  openRollout: ((step: number, index: number) => Promise<GroupEpisode>) | null = null;
  /** Makes a report of the run, as HTML; `null` where it has none. */
  makeReport: (() => Promise<string>) | null = null;
  /** Returns the reward functions that the run learns from, for views; `null` where these could not change them. */
  rewards: (() => RewardsData) | null = null;
  private newestGroup: ShownGroup | null = null;
  /** Number of the newest group: a step that is scored again has another. */
  private groupNumber = 0;
  /** The group that plays now. */
  private live: LiveGroup | null = null;

  /** @param data the run, which the methods change */
  constructor(readonly data: TrainingData) {}

  /** Shows the run as running; where it was paused, with a mark. */
  begin(facts: Partial<TrainingData>): void {
    const { data } = this;
    Object.assign(data, facts, { status: 'running' });
    const last = data.events.findLastIndex(({ kind }) => kind === 'pause' || kind === 'resume');
    if (data.events[last]?.kind === 'pause')
      data.events.splice(last + 1, 0, { step: data.step, text: 'resumed', kind: 'resume' });
    this.show();
  }

  /** Shows the run as paused, with a mark once it has made a step. */
  pause(): void {
    const { step, events } = this.data;
    if (step > 0 && this.shown) {
      const event: TrainingEvent = { step, text: 'paused', kind: 'pause' };
      events.push(event);
      this.send({ type: 'event', event });
    }
    this.status('paused');
  }

  /** Adds the output under the running cell: each call adds one, and later updates go to that. */
  show(): void {
    remember(this);
    this.shown = true;
    if (this.rewards) this.data.rewards = this.rewards();
    this.send({ type: 'data', data: this.data });
    if (cellContext().console) return;
    this.displayId = randomUUID();
    this.shownAt = Date.now();
    cellContext().display(trainingBundle(this.data), { displayId: this.displayId });
  }

  /** Adds the entry of a step: TRL's metrics, with `step`. */
  log(entry: Record<string, number>): void {
    this.data.log.push(entry);
    this.data.step = entry.step;
    this.send({ type: 'log', entry });
    if (cellContext().console) cellContext().display({ 'text/plain': progressLine(entry, this.data.maxSteps) });
    else this.updateSoon();
  }

  /** Adds a mark to the charts. */
  event(event: TrainingEvent): void {
    this.data.events.push(event);
    this.send({ type: 'event', event });
    if (cellContext().console) cellContext().display({ 'text/plain': `step ${event.step}: ${event.text}` });
    else this.updateSoon();
  }

  /** Keeps what made the numbers of the run, with these, beside what the notebook had saved. */
  finished(experiment: ExperimentData, saved: ExperimentData | null): void {
    const comparison = saved ? compareExperiments(saved, experiment) : undefined;
    Object.assign(this.data, { experiment, ...(comparison && { comparison }) });
    this.send({ type: 'experiment', experiment, ...(comparison && { comparison }) });
    if (cellContext().console && comparison) cellContext().display({ 'text/plain': comparison.text });
  }

  /** Sets the state of the run, and updates the output at once. A view of a run that stands still shows its newest group. */
  status(status: TrainingStatus): void {
    this.data.status = status;
    if (status !== 'running') delete this.data.stage;
    if (status !== 'running') this.endPlay();
    if (!this.shown) return;
    this.send({ type: 'status', status });
    if (status !== 'running') for (const view of this.views) this.offerGroup(view, true);
    if (cellContext().console)
      cellContext().display({ 'text/plain': `training ${status} at step ${this.data.step} of ${this.data.maxSteps}` });
    else this.update();
  }

  /** Shows the current stage of the run. */
  stage(stage: Stage | null): void {
    if (stage) this.data.stage = stage.text;
    else delete this.data.stage;
    this.send({ type: 'stage', ...(stage && { stage: stage.text, share: stage.share }) });
    if (this.shown && !cellContext().console && this.data.status === 'running') this.updateSoon();
  }

  /** Takes notice of a checkpoint that was written or read. */
  saved(checkpoint: SavedCheckpoint): void {
    this.data.checkpoint = checkpoint;
    this.problem('checkpoint', null);
  }

  /** Shows what the run cannot write as it goes on, with a mark on the charts; `null` once it can. */
  problem(kind: RunProblem, text: string | null): void {
    const { data } = this;
    const before = data.problems?.[kind];
    data.problems = { ...data.problems, [kind]: text ?? undefined };
    this.send({ type: 'kept', checkpoint: data.checkpoint, problems: data.problems });
    if (text !== null && before === undefined) this.event({ step: Math.max(1, data.step), text });
  }

  /** Tells the views what became of what one of them asked for. */
  notice(text: string): void {
    this.send({ type: 'notice', text });
  }

  /** Whether a view is visible: frames are made only then. */
  get wantsFrames(): boolean {
    return [...this.views].some(({ visible }) => visible);
  }

  /** Shows a group while it plays, to views that look on. */
  play(group: PlayingGroup): LiveView {
    this.endPlay();
    this.live = new LiveGroup(group);
    for (const view of this.views) this.offerPlay(view);
    return this.live;
  }

  private endPlay(): void {
    this.live?.stop();
    this.live = null;
  }

  /** Tells a view that is visible what plays. */
  private offerPlay(view: View): void {
    if (!this.live || !view.visible || view.playing === this.live) return;
    view.playing = this.live;
    sendTo(view, { type: 'playing', ...this.live.group });
    this.follow(view);
  }

  /** Sends a view what plays, as far as it looks on. */
  private follow(view: View): void {
    const { live } = this;
    if (live && view.playing === live) live.follow(view, view.tiles, (...message) => sendTo(view, ...message));
  }

  /** Sets the newest group. Views get it when they are visible and have shown the one before. */
  group(group: ShownGroup): void {
    this.endPlay();
    this.newestGroup = group;
    this.groupNumber++;
    for (const view of this.views) this.offerGroup(view);
  }

  /** Connects a view that has opened a comm: sends it the whole run, then each change. */
  connect(comm: Comm): void {
    const view: View = { comm, number: 0, visible: false, tiles: 0, playing: null, sent: -1, acknowledged: -1 };
    this.views.add(view);
    comm.onClose(() => {
      this.views.delete(view);
      this.live?.forget(view);
    });
    comm.onMessage((message: TrainingViewMessage) => {
      if (message?.type === 'visible') view.visible = message.visible === true;
      if (message?.type === 'live') view.tiles = Number(message.tiles) || 0;
      if (message?.type === 'live') this.follow(view);
      if (message?.type === 'drawn') this.live?.drawn(view);
      if (message?.type === 'ack') view.acknowledged = view.sent;
      if (message?.type === 'sync') this.introduce(view);
      if (message?.type === 'control') this.control?.(message.control);
      if (message?.type === 'open') void this.open(view, message);
      if (message?.type === 'report') void this.report(view);
      this.offerGroup(view);
      this.offerPlay(view);
    });
    this.introduce(view);
  }

  /** Sends a view the run as it is; the newest group follows once it is visible. */
  private introduce(view: View): void {
    view.sent = view.acknowledged = -1;
    view.playing = null;
    this.live?.forget(view);
    sendTo(view, { type: 'data', data: this.data });
  }

  /** @param atOnce whether the view gets it also where it still shows another */
  private offerGroup(view: View, atOnce = false): void {
    const group = this.newestGroup;
    if (!group || !view.visible || view.sent === this.groupNumber || (!atOnce && view.acknowledged !== view.sent))
      return;
    view.sent = this.groupNumber;
    const episodes = group.episodes.map((episode) => episode?.data ?? null);
    sendTo(
      view,
      { type: 'group', ...group, episodes },
      group.episodes.map((episode) => episode?.frames ?? new Uint8Array()),
    );
  }

  /** Sends a view a rollout that its user wants to see, or why there is none. */
  private async open(view: View, { step, index }: { step: number; index: number }): Promise<void> {
    let answer: Extract<TrainingMessage, { type: 'episode' }> = { type: 'episode', step, index, episode: null };
    let frames: Uint8Array[] = [];
    try {
      if (!this.openRollout) throw new Error('This run keeps no rollouts.');
      const opened = await this.openRollout(step, index);
      answer = { ...answer, episode: opened.data };
      frames = [opened.frames];
    } catch (error) {
      answer.why = (error as Error).message;
    }
    sendTo(view, answer, frames);
  }

  /** Sends a view the report that its user wants, or why there is none. */
  private async report(view: View): Promise<void> {
    try {
      if (!this.makeReport) throw new Error('This run has no report.');
      const html = await this.makeReport();
      sendTo(view, { type: 'report' }, [Buffer.from(html)]);
    } catch (error) {
      sendTo(view, { type: 'report', why: (error as Error).message });
    }
  }

  private send(message: TrainingMessage): void {
    for (const view of this.views) sendTo(view, message);
  }

  private updateSoon(): void {
    if (this.timer) return;
    const interval = this.views.size > 0 ? updateIntervalWithView : updateInterval;
    this.timer = setTimeout(() => this.update(), Math.max(0, this.shownAt + interval - Date.now()));
    this.timer.unref();
  }

  private update(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (!this.displayId) return;
    this.shownAt = Date.now();
    cellContext().display(trainingBundle(this.savedData()), { displayId: this.displayId, update: true });
  }

  /** Returns the data for the notebook's file: that of a run which is not running has the newest group. */
  private savedData(): TrainingData {
    if (this.rewards) this.data.rewards = this.rewards();
    if (this.data.status === 'running' || !this.newestGroup) return this.data;
    const kept = keptRollouts(this.newestGroup);
    const episodes = kept.episodes.map(
      (episode) => episode && { ...episode.data, frames: Buffer.from(episode.frames).toString('base64') },
    );
    return { ...this.data, group: { ...kept, episodes } };
  }
}

/**
 * A connected view: the number of the next message, how many rollouts it shows while they
 * play, which group that plays it knows, the number of the last group sent to it, and of the last it has shown.
 */
interface View {
  comm: Comm;
  number: number;
  visible: boolean;
  tiles: number;
  playing: LiveGroup | null;
  sent: number;
  acknowledged: number;
}

function sendTo(view: View, message: TrainingMessage, buffers?: Uint8Array[]): void {
  view.comm.send({ ...message, number: view.number++ }, buffers);
}

/** The newest runs by their IDs, for views that connect. */
const outputs = new Map<string, TrainingOutput>();
const outputLimit = 16;

/** Returns the runs that views can follow, the newest first. */
export function knownRuns(): TrainingOutput[] {
  return [...outputs.values()].reverse();
}

function remember(output: TrainingOutput): void {
  outputs.delete(output.data.runId);
  outputs.set(output.data.runId, output);
  if (outputs.size > outputLimit) outputs.delete(outputs.keys().next().value!);
  cellContext().registerCommTarget(TRAINING_COMM, (comm, data) => {
    const wanted = outputs.get(String(data?.runId));
    // A run of an earlier kernel: the view shows what the notebook saved.
    if (wanted) wanted.connect(comm);
    else comm.close();
  });
}
