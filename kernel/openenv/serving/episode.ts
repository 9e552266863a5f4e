import { describeProblem, ValidationFailure } from '../../schema/problems';
import { randomInt, randomUUID } from 'node:crypto';
import { jsonValue, JsonValueError } from '../../schema/jsonValue';
import { shown } from '../../common/shown';
import type { EpisodeState, StepResult } from '../protocol';
import type { Environment, Turn } from './environment';
import { RandomSource } from './randomSource';
import type { OutputChecks } from './schemas';
import type { Validate } from '../../schema/validate';

/** Runs the episodes of one environment: seeds, IDs, step counts, and the checks of what the environment returns. */
export class EpisodeRunner {
  private episodeId: string | null = null;
  private steps = 0;
  private done = false;

  /** @param checks checks of what the environment returns, by its own schemas */
  constructor(
    readonly environment: Environment,
    private readonly checks?: OutputChecks,
  ) {}

  /** The ID of the episode; `null` before the first. */
  get episode(): string | null {
    return this.episodeId;
  }

  /** Starts an episode. The arguments are named as on the wire, and have been checked. */
  async reset({ seed, episode_id, ...rest }: Record<string, any>): Promise<StepResult> {
    const used: number = seed ?? randomInt(2 ** 31);
    const episodeId: string = episode_id ?? randomUUID();
    this.episodeId = null;
    this.environment.random = new RandomSource(used);
    const result = stepResult(
      await this.environment.reset({ ...rest, seed: used, episodeId }),
      'reset',
      this.checks?.reset,
    );
    [this.episodeId, this.steps, this.done] = [episodeId, 0, result.done];
    return result;
  }

  /** Takes one step. The action has been checked. Throws when there is no episode, or it has ended. */
  async step(action: object): Promise<StepResult> {
    if (this.episodeId === null) throw new Error('There is no episode yet: reset first.');
    if (this.done) throw new Error('The episode has ended: reset starts the next one.');
    const result = stepResult(await this.environment.step(action), 'step', this.checks?.step);
    this.steps++;
    this.done = result.done;
    return result;
  }

  state(): EpisodeState {
    const own = jsonOf(this.environment.state ?? {}, 'The state');
    if (typeof own !== 'object' || Array.isArray(own))
      throw new TypeError(`state is ${shown(own)}: it has to be an object.`);
    const state = { ...own, episode_id: this.episodeId, step_count: this.steps };
    // Before the first episode an environment may not know its state yet.
    if (this.episodeId !== null && this.checks) checked(this.checks.state, state, 'The state');
    return state;
  }

  async close(): Promise<void> {
    await this.environment.close?.();
  }
}

/** Returns an environment's result as it travels. Throws a TypeError for the environment's author when it is not valid. */
function stepResult(turn: Turn<object>, method: string, check: Validate | undefined): StepResult {
  const { observation, reward = null, done = false, metadata } = (turn ?? {}) as Turn<object>;
  if (typeof observation !== 'object' || observation === null || Array.isArray(observation)) {
    throw new TypeError(
      `${method}() has to return { observation, reward, done } with an object as observation; it returned ${shown(turn)}.`,
    );
  }
  if (reward !== null && !Number.isFinite(reward))
    throw new TypeError(`${method}() returned the reward ${shown(reward)}: it has to be a finite number.`);
  if (typeof done !== 'boolean')
    throw new TypeError(`${method}() returned ${shown(done)} as done: it has to be true or false.`);
  if (metadata !== undefined && (typeof metadata !== 'object' || Array.isArray(metadata)))
    throw new TypeError(`${method}() returned ${shown(metadata)} as metadata: it has to be an object.`);
  const seen = jsonOf(observation, `The observation of ${method}()`);
  if (check) checked(check, seen, `The observation of ${method}()`);
  checkBigints(seen, `The observation of ${method}()`);
  return {
    observation: seen,
    reward,
    done,
    ...(metadata ? { metadata: jsonOf(metadata, `The metadata of ${method}()`) } : {}),
  };
}

/** Returns a value of an environment as it travels in JSON. Throws a TypeError when JSON cannot express it. */
function jsonOf(value: unknown, what: string): any {
  try {
    return jsonValue(value, what);
  } catch (error) {
    throw error instanceof JsonValueError ? new TypeError(`${what} cannot be sent: ${error.describe()}.`) : error;
  }
}

/** Throws a TypeError when a value does not fit the environment's own schema. */
function checked(check: Validate, value: unknown, what: string): void {
  try {
    check(value);
  } catch (error) {
    if (!(error instanceof ValidationFailure)) throw error;
    throw new TypeError(
      `${what} is not what its type, or its schema, says:${error.problems.map((problem) => `\n  ${describeProblem(problem)}`).join('')}`,
    );
  }
}

/**
 * Throws a TypeError when a bigint is left that a number could hold, since readers of
 * the JSON get a number. Where the type is `number | bigint`, a check has converted
 * it.
 */
function checkBigints(value: object, what: string): void {
  const small = smallBigint(value);
  if (small)
    throw new TypeError(
      `${what} cannot be sent: ${small.join('.')} is a BigInt of a size that a number has, and would arrive as one. Write Number(…), or number | bigint as its type.`,
    );
}

/** Returns the path of the first bigint that a number could hold. */
function smallBigint(value: unknown): string[] | undefined {
  if (typeof value === 'bigint')
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? [] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  // A list is not asked for its keys: it may be a picture.
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  for (const key of keys) {
    const inner = (value as Record<string | number, unknown>)[key];
    if (typeof inner !== 'object' && typeof inner !== 'bigint') continue;
    const path = smallBigint(inner);
    if (path) return [String(key), ...path];
  }
  return undefined;
}
