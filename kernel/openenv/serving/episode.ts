import { randomInt, randomUUID } from 'node:crypto';
import type { EpisodeState, StepResult } from '../protocol';
import type { Environment, Turn } from './environment';
import { RandomSource } from './randomSource';

/** An environment at play: what the server does for every environment alike. */
export class EpisodeRunner {
  private episodeId: string | null = null;
  private steps = 0;
  private done = false;

  constructor(readonly environment: Environment) {}

  /** Starts an episode. The arguments are as on the wire, and have been checked. */
  async reset({ seed, episode_id, ...rest }: Record<string, any>): Promise<StepResult> {
    const used: number = seed ?? randomInt(2 ** 31);
    const episodeId: string = episode_id ?? randomUUID();
    this.episodeId = null;
    this.environment.random = new RandomSource(used);
    const result = stepResult(await this.environment.reset({ ...rest, seed: used, episodeId }), 'reset');
    [this.episodeId, this.steps, this.done] = [episodeId, 0, result.done];
    return result;
  }

  /** Takes one step. The action has been checked. */
  async step(action: object): Promise<StepResult> {
    if (this.episodeId === null) throw new Error('There is no episode yet: reset first.');
    if (this.done) throw new Error('The episode has ended: reset starts the next one.');
    const result = stepResult(await this.environment.step(action), 'step');
    this.steps++;
    this.done = result.done;
    return result;
  }

  state(): EpisodeState {
    return { ...this.environment.state, episode_id: this.episodeId, step_count: this.steps };
  }

  async close(): Promise<void> {
    await this.environment.close?.();
  }
}

/** What an environment gave, as it travels. Throws what is wrong with it, for the author of the environment. */
function stepResult(turn: Turn<object>, method: string): StepResult {
  const { observation, reward = null, done = false, metadata } = (turn ?? {}) as Turn<object>;
  if (typeof observation !== 'object' || observation === null) {
    throw new TypeError(`${method}() has to return { observation, reward, done } with an object as observation; it returned ${describe(turn)}.`);
  }
  if (reward !== null && !Number.isFinite(reward)) throw new TypeError(`${method}() returned the reward ${String(reward)}: it has to be a finite number.`);
  if (typeof done !== 'boolean') throw new TypeError(`${method}() returned ${describe(done)} as done: it has to be true or false.`);
  return { observation, reward, done, ...(metadata ? { metadata } : {}) };
}

function describe(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 100);
  } catch {
    return typeof value;
  }
}

/** As JSON. Typed arrays are lists of numbers; what JSON has no word for is an error. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (ArrayBuffer.isView(part) && !(part instanceof DataView)) return [...(part as Uint8Array)];
    if (part instanceof Map) return Object.fromEntries(part);
    if (part instanceof Set) return [...part];
    return part;
  });
}
