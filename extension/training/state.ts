import type { RolloutGroup, TrainingData, TrainingMessage } from '../../kernel/display/mime';
import { keptRollouts } from '../../kernel/display/training/keptRollouts';

/** The rollouts of a step. `frames[i]` are the deflated frames of `episodes[i]`, where these do not contain them. */
export interface Group extends RolloutGroup {
  frames: Uint8Array[];
}

/** A run as a view knows it, from two sources: the notebook's JSON, which lags behind, and the comm. */
export class TrainingState {
  data: TrainingData;
  group: Group | null = null;
  /** The share of the stage that is done, where it is known. */
  share: number | undefined;

  constructor(data: TrainingData) {
    this.data = copy(data);
  }

  /** Takes the notebook's data, unless the comm has sent newer. */
  update(data: TrainingData): void {
    const ours = this.data;
    const older =
      data.runId === ours.runId && (data.log.length < ours.log.length || data.events.length < ours.events.length);
    if (!older) this.data = copy(data);
  }

  /** Returns the newest group with its frames in base64, as a notebook keeps it. */
  savedGroup(): TrainingData['group'] {
    if (!this.group) return this.data.group;
    const { frames, ...group } = this.group;
    const whole = group.episodes.map((data, i) => ({ data, frames: frames[i] }));
    const kept = keptRollouts({ ...group, episodes: whole.map((episode) => episode.data && episode) });
    const episodes = kept.episodes.map(
      (episode) => episode && (episode.frames ? { ...episode.data!, frames: base64(episode.frames) } : episode.data),
    );
    return { ...kept, episodes };
  }

  /** Applies a message of the kernel. */
  receive(message: TrainingMessage, buffers: Uint8Array[]): void {
    switch (message.type) {
      case 'data':
        this.data = copy(message.data);
        break;
      case 'log':
        this.data.log.push(message.entry);
        this.data.step = message.entry.step;
        break;
      case 'event':
        this.data.events.push(message.event);
        break;
      case 'status':
        this.data.status = message.status;
        if (message.status !== 'running') this.data.stage = this.share = undefined;
        break;
      case 'kept':
        Object.assign(this.data, { checkpoint: message.checkpoint, problems: message.problems });
        break;
      case 'experiment':
        Object.assign(this.data, { experiment: message.experiment, comparison: message.comparison });
        break;
      case 'notice':
      case 'playing':
      case 'live':
      case 'report':
      case 'episode':
        break;
      case 'stage':
        this.data.stage = message.stage;
        this.share = message.share;
        break;
      case 'group':
        this.group = { ...groupOf(message), frames: buffers };
    }
  }
}

function groupOf({ step, episodes, scores, of }: RolloutGroup): RolloutGroup {
  return { step, episodes, scores, of };
}

/** Returns bytes in base64. */
function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK) binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(binary);
}

/** Bytes that one call of `String.fromCharCode` takes: engines limit the number of arguments. */
const CHUNK = 1 << 13;

/** Returns a copy that can be changed: the original belongs to the notebook. */
function copy(data: TrainingData): TrainingData {
  return { ...data, log: [...data.log], events: [...data.events] };
}

/** Returns what is wrong with the data of a run, in words; `null` when it can be shown. */
export function checkTraining(data: TrainingData): string | null {
  if (typeof data !== 'object' || data === null) return 'it is not an object';
  if (data.version !== 1) return `it has version ${data.version}, this view knows version 1`;
  if (!Array.isArray(data.log) || !data.log.every((entry) => typeof entry === 'object' && entry !== null))
    return 'its log is missing';
  if (!Array.isArray(data.events)) return 'its events are missing';
  if (data.group && !Array.isArray(data.group.episodes)) return 'the episodes of its newest group are missing';
  if (!Array.isArray(data.rewardNames)) return 'the names of its reward functions are missing';
  return null;
}
