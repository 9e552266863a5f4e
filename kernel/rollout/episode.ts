import type { MimeBundle } from '../display/host';

/** Why an episode ended. */
export interface EpisodeEnd {
  /**
   * `terminated` and `truncated` as in Gymnasium. The others are the
   * strategy's doing: `timeout` (its own time ran out), `memory`, `error` (it
   * threw), `invalid_action` (it returned something that is not an action).
   * `aborted`: the run was interrupted.
   */
  reason: 'terminated' | 'truncated' | 'timeout' | 'memory' | 'error' | 'invalid_action' | 'aborted';
  /** What happened, for people. */
  message?: string;
  /** Line in the strategy's code, counted from 1. */
  line?: number;
}

/** The plain data of an {@link Episode}: what is saved and sent between processes. */
export interface EpisodeRecord {
  /** Name of the environment: "atari". */
  environment: string;
  /** Its options, as given to `openenv`: game, frame skip, sticky actions… Together with seed and actions they replay the episode exactly. */
  options: Record<string, unknown>;
  seed: number;
  /** Action names; `actions` holds indices into them. */
  actionNames: string[];
  /** Per step: index of the action. */
  actions: number[];
  /** Per step: the environment's reward. */
  rewards: number[];
  /** Per step: lives left after it, where the environment has lives. */
  lives: number[];
  /** Named state, one column per variable; entry i is what the strategy saw before action i, the last entry the state at the end. */
  states: Record<string, number[]>;
  end: EpisodeEnd;
}

/** One play of an environment from reset to end: plain data, scored by reward functions, replayed exactly from its record. */
export class Episode implements EpisodeRecord {
  readonly environment: string;
  readonly options: Record<string, unknown>;
  readonly seed: number;
  readonly actionNames: string[];
  readonly actions: number[];
  readonly rewards: number[];
  readonly lives: number[];
  readonly states: Record<string, number[]>;
  readonly end: EpisodeEnd;

  constructor(record: EpisodeRecord) {
    this.environment = record.environment;
    this.options = record.options;
    this.seed = record.seed;
    this.actionNames = record.actionNames;
    this.actions = record.actions;
    this.rewards = record.rewards;
    this.lives = record.lives;
    this.states = record.states;
    this.end = record.end;
  }

  /** Number of steps played. */
  get steps(): number {
    return this.actions.length;
  }

  /** Undiscounted sum of the rewards. In an Atari game: the score. */
  get return(): number {
    return this.rewards.reduce((sum, reward) => sum + reward, 0);
  }

  /** The named state before step `index`; `index = steps` is the state at the end. */
  stateAt(index: number): Record<string, number> {
    const state: Record<string, number> = {};
    for (const [name, column] of Object.entries(this.states)) state[name] = column[index];
    return state;
  }

  /** The player: in the same process, the frames of an episode are made again when it is displayed. */
  [Symbol.for('Jupyter.display')](): Promise<MimeBundle> {
    const { displayEpisode } = require('./film') as typeof import('./film');
    return displayEpisode(this);
  }
}
