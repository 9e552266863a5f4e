import {
  checked,
  nullable,
  number,
  preset,
  text,
  unchecked,
  whole,
  type Declaration,
  type Given,
} from '../common/settings';
import type { ChatModel } from '../chat';
import type { RolloutEnvironment } from '../environments/environment';
import type { CausalLM } from '../models';
import { playSettings, strategySettings } from '../rollout/settings';

/**
 * A policy of a benchmark:
 *
 * - a model of this process (`CausalLM`), or behind an address (`chatModel`), which writes strategies;
 * - a program that a model or a search has found (`trainer.programs.best()`), or the source of a strategy;
 * - a function `(state) => action`, by hand;
 * - `'random'`: random legal actions; `'constant'`: always the action that is best so.
 */
export type BenchmarkPolicy = CausalLM | ChatModel | { code: string } | string | ((state: any) => unknown);

const subjectSettings = {
  /** The policies by name: models (of this process, or a `chatModel`), programs, sources, functions, 'random', 'constant'. */
  policies: unchecked<Record<string, BenchmarkPolicy>>('an object of policies by name'),
  /** The environments: a list, or an object by name, which tells one game with several options apart. */
  environments: unchecked<RolloutEnvironment | RolloutEnvironment[] | Record<string, RolloutEnvironment>>(
    'an environment, a list of them, or an object of them by name',
  ),
  /** The starts of the episodes, the same for every policy: their number, or seeds of their own. 20 by default, which training never draws. */
  seeds: checked<number | number[], 20>(
    20,
    'a number of starts, or a list of different whole numbers from 0',
    (value) =>
      (Number.isSafeInteger(value) && (value as number) > 0) ||
      (Array.isArray(value) &&
        value.length > 0 &&
        new Set(value).size === value.length &&
        value.every((seed) => Number.isSafeInteger(seed) && seed >= 0)),
  ),
};

const modelSettings = {
  /** Strategies that a model writes for each environment, each with a seed of its own. 16 by default. */
  attempts: whole(16, { from: 1 }),
  /** Episodes of each strategy on other starts, by which the best of a model's attempts is chosen; 0: none is chosen. 8 by default. */
  validationEpisodes: whole(8, { from: 0 }),
  /** Temperature of sampling; 0 takes the most likely token, and one attempt says all. 1 by default. */
  temperature: number(1, { from: 0, to: 2 }),
  /** Nucleus sampling: the most likely tokens of this total probability. 1 by default: all. */
  topP: number(1, { above: 0, to: 1 }),
  /** Largest number of tokens of a strategy. 512 by default. */
  maxNewTokens: whole(512, { from: 1 }),
  /** The seeds of sampling follow from it. 42 by default. */
  seed: whole(42, { from: 0 }),
};

const fileSettings = {
  /**
   * The leaderboard: a JSON file, to which a run adds its results. What it has already is not played again, and what was
   * interrupted goes on. `null`: none. 'leaderboard.json' by default.
   */
  file: nullable(preset(text(undefined, "a file's name"), 'leaderboard.json')),
};

const { strategyTimeLimit } = strategySettings;
const settings = { ...subjectSettings, ...playSettings, strategyTimeLimit, ...modelSettings, ...fileSettings };

/** Options of `benchmark`. */
export interface BenchmarkOptions
  extends Required<Pick<Given<typeof subjectSettings>, 'policies' | 'environments'>>,
    Omit<Given<typeof subjectSettings>, 'policies' | 'environments'>,
    Given<typeof playSettings>,
    Pick<Given<typeof strategySettings>, 'strategyTimeLimit'>,
    Given<typeof modelSettings>,
    Given<typeof fileSettings> {}

/** The options of `benchmark`. */
export const benchmarkDeclaration: Declaration<typeof settings> = {
  owner: 'benchmark',
  noun: 'option',
  example: "{ policies: { random: 'random', byHand: (state) => 'FIRE' }, environments: [env] }",
  settings,
  elsewhere: {
    env: 'it is called environments',
    starts: 'it is called seeds',
    numGenerations: 'it is called attempts',
    maxEpisodeSteps: 'it is called maxSteps',
    maxTokens: 'it is called maxNewTokens',
    leaderboard: 'it is called file',
  },
};
