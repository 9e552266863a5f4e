/** The end of an episode, and its reason. */
export interface EpisodeEnd {
  /**
   * `terminated` and `truncated` as in Gymnasium. The strategy ended the
   * episode by `timeout` (its own time ran out), `memory`, `error` (it threw)
   * or `invalid_action` (it returned something that is not an action).
   * `aborted`: the run was interrupted. `environment_error`: the environment
   * or the connection to it failed, so that the episode does not count as
   * played.
   */
  reason:
    | 'terminated'
    | 'truncated'
    | 'timeout'
    | 'memory'
    | 'error'
    | 'invalid_action'
    | 'aborted'
    | 'environment_error';
  /** The reason in words. */
  message?: string;
  /** Line in the strategy's code, counted from 1. */
  line?: number;
}

/** The plain data of an {@link Episode}, as it is saved and sent between processes. */
export interface EpisodeRecord {
  /** Name of the environment: "atari", or what a server calls itself. */
  environment: string;
  /** Its options, as given to `openenv`: game, frame skip, sticky actions… Together with seed and actions they replay the episode exactly. */
  options: Record<string, unknown>;
  /** Seed of the environment. */
  seed: number;
  /** Action names; `actions` holds indices into them. */
  actionNames: string[];
  /** The actions as they were sent, one for each of `actionNames`, when they are objects. */
  actionValues?: Record<string, unknown>[];
  /** Per step: index of the action. */
  actions: number[];
  /** Per step: the environment's reward. */
  rewards: number[];
  /** Per step: lives left after it; empty when the environment has no lives. */
  lives: number[];
  /** Named state, a column of `steps + 1` numbers per variable: entry i is what the strategy saw before action i, the last entry the state at the end. */
  states: Record<string, number[]>;
  /**
   * Recorded when strategies see the environment's observations instead of named
   * state: entry i is what the strategy saw before action i, the last entry
   * the observation at the end. `null` when it was left out because it is
   * large; the first and the last are always there.
   */
  observations?: (Record<string, any> | null)[];
  end: EpisodeEnd;
  /** Seconds of processor time that the strategy took for all its choices. They differ from run to run. */
  strategySeconds?: number;
}

/** An episode of an environment, from reset to end: plain data, scored by reward functions, replayed exactly from its record. */
export class Episode implements EpisodeRecord {
  readonly environment: string;
  readonly options: Record<string, unknown>;
  readonly seed: number;
  readonly actionNames: string[];
  declare readonly actionValues?: Record<string, unknown>[];
  readonly actions: number[];
  readonly rewards: number[];
  readonly lives: number[];
  readonly states: Record<string, number[]>;
  declare readonly observations?: (Record<string, any> | null)[];
  readonly end: EpisodeEnd;
  /**
   * Seconds of processor time that the strategy took for all its choices; how
   * busy the machine is does not matter. Not enumerable, so that the same
   * episode played twice is equal, and is saved as the same.
   */
  declare readonly strategySeconds?: number;

  constructor(record: EpisodeRecord) {
    this.environment = record.environment;
    this.options = record.options;
    this.seed = record.seed;
    this.actionNames = record.actionNames;
    if (record.actionValues) this.actionValues = record.actionValues;
    this.actions = record.actions;
    this.rewards = record.rewards;
    this.lives = record.lives;
    this.states = record.states;
    if (record.observations) this.observations = record.observations;
    this.end = record.end;
    if (record.strategySeconds !== undefined)
      Object.defineProperty(this, 'strategySeconds', { value: record.strategySeconds, enumerable: false });
  }

  /** Whether the strategy failed: it ran out of time or memory, threw, or returned something that is not an action. */
  get failed(): boolean {
    return ['timeout', 'memory', 'error', 'invalid_action'].includes(this.end.reason);
  }

  /** Number of steps played. */
  get steps(): number {
    return this.actions.length;
  }

  /** Undiscounted sum of the rewards. In an Atari game: the score. */
  get return(): number {
    return this.rewards.reduce((sum, reward) => sum + reward, 0);
  }

  /** Returns what a strategy sees before step `index`: the named state, or the observation; `index = steps` is the one at the end. */
  stateAt(index: number): Record<string, any> {
    if (this.observations) return this.observations[index] ?? {};
    const state: Record<string, number> = {};
    for (const [name, column] of Object.entries(this.states)) state[name] = column[index];
    return state;
  }

  /** Returns the player. The frames are made again from seed and actions for it. */
  [Symbol.for('Jupyter.display')](): Promise<Record<string, unknown>> {
    const { displayEpisode } = require('../rollout/replay') as typeof import('../rollout/replay');
    return displayEpisode(this);
  }
}
