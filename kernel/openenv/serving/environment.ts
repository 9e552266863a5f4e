import type { EnvironmentMetadata, EnvironmentSchema } from '../protocol';
import { RandomSource } from './randomSource';

/** The result of a reset or a step of an {@link Environment}. */
export interface Turn<Observation> {
  observation: Observation;
  /** The reward of a step, a finite number. Default: `null`. */
  reward?: number | null;
  /** Whether the episode has ended. Default: false. */
  done?: boolean;
  /** Anything else, for logs. */
  metadata?: Record<string, any>;
}

/** The argument of {@link Environment.reset}. */
export interface ResetOptions {
  /** The seed of this episode, a whole number ≥ 0: the client's, else a random one. */
  seed: number;
  /** The ID of the episode: the client's, else a random UUID. */
  episodeId: string;
  /** Further arguments of the client, unchecked. */
  [argument: string]: any;
}

/** A tool that clients find and call by MCP, see {@link Environment.tools}. */
export interface EnvironmentTool {
  /** What the tool does, in a sentence or two, for the model. */
  description: string;
  /** JSON Schema of the arguments. Default: any object. */
  inputSchema?: Record<string, any>;
  /** Runs the tool. Its result is sent as JSON, text unchanged; an exception is reported to the client. */
  call(args: any): unknown;
}

/** Settings of a server: `static` members of the class, or options of `serve`. */
export interface EnvironmentSettings {
  /** Largest number of open sessions. Default: 64. */
  capacity: number;
  /** Milliseconds without a message after which a session is closed. Default: 30 minutes. */
  idleTimeout: number;
}

/** Key of the types that a class declares. No value has it. */
declare const declaredTypes: unique symbol;

/**
 * The type arguments that a class gives {@link Environment}; its methods may return
 * more, or `any`. It is a method, so that environments are assignable to each other as
 * their methods allow.
 */
export interface DeclaredTypes<Action, Observation, State> {
  [declaredTypes]?(action: Action): { observation: Observation; state: State };
}

/** A class that extends {@link Environment}. */
export type EnvironmentClass<Instance extends Environment = Environment> = (new () => Instance) &
  Partial<EnvironmentSettings> & {
    readonly name: string;
    metadata?: Partial<EnvironmentMetadata>;
    schema?: Partial<EnvironmentSchema>;
  };

/**
 * An environment that can be served as an OpenEnv server. One instance plays
 * one episode at a time; each session has an instance of its own.
 *
 * ```ts
 * type Guess = { number: number };
 * type Hint = { hint: 'low' | 'high' | 'right' };
 *
 * class GuessTheNumber extends Environment<Guess, Hint> {
 *   private secret = 0;
 *
 *   reset() {
 *     this.secret = this.random.int(1, 100);
 *     return { observation: { hint: 'low' as const } };
 *   }
 *
 *   step({ number }: Guess) {
 *     const hint = number < this.secret ? 'low' : number > this.secret ? 'high' : 'right';
 *     return { observation: { hint }, reward: hint === 'right' ? 1 : 0, done: hint === 'right' };
 *   }
 * }
 * ```
 *
 * #### Notes
 * Action, observation and state are objects, since they travel as JSON.
 * In a cell with `@openenv` and in `joylab serve` their JSON Schemas are made
 * from the type arguments; a `static schema` comes before that.
 *
 * An exception is reported to the client, and the session goes on.
 */
export abstract class Environment<
  Action extends object = any,
  Observation extends object = any,
  // biome-ignore lint/correctness/noUnusedVariables: the types are read from the interface of the same name.
  State extends object = any,
> {
  /** Name, description and so on, for clients. Default: the name of the class. */
  static metadata?: Partial<EnvironmentMetadata>;
  /** JSON Schemas of action, observation and state, where the types do not give them. */
  static schema?: Partial<EnvironmentSchema>;
  static capacity?: number;
  static idleTimeout?: number;

  /** Random numbers that follow from the seed of the episode. Replaced before each reset. */
  random = new RandomSource(0);

  /** Tools that clients may find and call by MCP, by name. Default: none, and MCP is off. */
  tools?: Record<string, EnvironmentTool>;

  /** Starts an episode; the same seed must start the same one. Draw from `this.random`, never from `Math.random()`. */
  abstract reset(options: ResetOptions): Turn<Observation> | Promise<Turn<Observation>>;

  /** Takes one step. The action has been checked against its schema. */
  abstract step(action: Action): Turn<Observation> | Promise<Turn<Observation>>;

  /** Returns an image of the current state, for the card: SVG text, or the bytes of a PNG, JPEG, GIF or WebP. */
  render?(): string | Uint8Array;

  /** Called once, at the end of the session. */
  close?(): void | Promise<void>;
}

export interface Environment<Action extends object, Observation extends object, State extends object>
  extends DeclaredTypes<Action, Observation, State> {
  /** The state that clients may ask for between steps. The server adds `episode_id` and `step_count`. */
  readonly state?: State;
}
