import { invalidArgument } from '../../openenv/errors';
import type { EnvironmentMetadata, EnvironmentSchema, StepResult } from '../../openenv/protocol';
import type { EpisodeSpec } from '../vectorEnv';
import { OpenedEnvironment } from '../opened';
import type { HumanReturn } from '../reference';
import type { AtariVariable } from './games/variables';
import { humanReturn } from './human';
import { atariReader, MEMORY } from './reader';

/** The observation of an Atari game. */
export interface AtariObservation<State = Record<string, number>> {
  /** The named state: `state.ball_x`. */
  state: State;
  /** Lives left; 0 in games without lives. */
  lives: number;
  /** Sum of the episode's rewards. */
  score: number;
  /** The 128 bytes of the console's memory. */
  ram: Uint8Array;
  /** Whether the game is over. */
  terminated: boolean;
  /** Whether the episode was cut off at `maxFrames`. */
  truncated: boolean;
  /** Frames since the episode's start. */
  frameNumber: number;
  /** With `obsType: 'screen'`: 210 × 160 palette indices, row by row. */
  screen?: Uint8Array;
}

/** A step's action: its name ("LEFT") or its ID. */
export type AtariAction<Name extends string = string> = Name | { action_id: number };

/** An Atari game of any server: its actions have names, and its state is read from the console's memory. */
export abstract class NamedGame<Action extends string, State> extends OpenedEnvironment {
  readonly environment = 'atari';
  /** Name of the game. */
  readonly name: string;
  /** Names of the actions; an action's ID is its index. */
  readonly actions: Action[];
  readonly stateVariables: AtariVariable[];
  /** Lists of numbers that strategies see beside the variables. */
  readonly stateArrays = [MEMORY];
  /** Returns the named state from the 128 bytes of memory. */
  readonly readState: (ram: Uint8Array) => Record<string, number>;
  /** A human's mean score, if one was published for these options. */
  readonly human: HumanReturn | undefined;
  abstract readonly spec: EpisodeSpec;

  /** @param options of the game, defaults included */
  protected constructor(readonly options: Record<string, unknown>) {
    super();
    this.name = options.game as string;
    const { actions, stateVariables, readState } = atariReader(options);
    this.actions = actions as Action[];
    this.stateVariables = stateVariables;
    this.readState = readState;
    this.human = humanReturn(options);
  }

  /** The session with the server. */
  protected abstract get client(): {
    step(action: object): Promise<StepResult>;
    schema(): Promise<EnvironmentSchema>;
    metadata(): Promise<EnvironmentMetadata>;
  };

  /** Returns the observation of a server's answer. */
  protected abstract observed(answer: StepResult): AtariObservation<State>;

  /** Takes a step and returns its result. Rejects with `INVALID_ARGUMENT` for an action that the game does not have. */
  async step(action: AtariAction<Action>): Promise<StepResult<AtariObservation<State>>> {
    return this.result(await this.client.step({ action_id: this.actionId(action) }));
  }

  /** Returns the JSON Schemas of action, observation and state. */
  schema(): Promise<EnvironmentSchema> {
    return this.client.schema();
  }

  /** Returns the server's name, description and version of the environment. */
  metadata(): Promise<EnvironmentMetadata> {
    return this.client.metadata();
  }

  protected result(answer: StepResult): StepResult<AtariObservation<State>> {
    return { ...answer, observation: this.observed(answer) };
  }

  private actionId(action: AtariAction): number {
    const id = typeof action === 'string' ? (this.actions as string[]).indexOf(action) : action?.action_id;
    if (Number.isInteger(id) && id in this.actions) return id;
    const given = typeof action === 'string' ? `'${action}'` : JSON.stringify(action);
    const hint =
      action === 'FIRE' && this.options.autoFire ? ' FIRE is pressed by the environment itself: autoFire is on.' : '';
    throw invalidArgument(`'${this.name}' has no action ${given}. The actions are: ${this.actions.join(', ')}.${hint}`);
  }
}
