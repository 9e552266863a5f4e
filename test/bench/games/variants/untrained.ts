import { chosen } from '../choosing';
import { play } from '../playing';
import { trainingStart } from '../starts';
import type { Line } from '../store';
import { bundledModel, MODEL, policyLine, sampled } from './model';
import { EPISODES, PLAYING, reported, type Variant } from './variant';

/** Samples that play once, and the best of them, which are compared with the remaining episodes. */
const SAMPLES = 1536;
const CANDIDATES = 48;

/** The best of many samples of the untrained model, which shows what choosing adds. */
export const untrained: Variant = {
  description: `the best of ${SAMPLES} samples of the untrained model, chosen by as many episodes`,
  sources: [...PLAYING, ...MODEL, ...['choosing', 'variants/untrained'].map((name) => `test/bench/games/${name}.ts`)],
  async run(given) {
    const { task, env, seed } = given;
    const model = await bundledModel();
    const codes = await sampled(model, given, SAMPLES);
    const valid = codes.filter((code) => code !== null);
    const distinct = [...new Set(valid)];
    const figures = { valid: valid.length / codes.length, distinct: distinct.length };
    const policy = (): Promise<Line> => policyLine('untrained policy', model, given);
    if (distinct.length === 0) return { episodes: 0, figures, report: async () => [await policy()] };
    const once = await play(
      env,
      distinct,
      distinct.map(() => trainingStart(seed, 0)),
      task.trainingSteps,
    );
    const order = distinct.map((code, i) => ({ code, value: once[i].return })).sort((a, b) => b.value - a.value);
    const choice = await chosen(
      env,
      order.map(({ code }) => code),
      { seed, episodes: EPISODES - distinct.length, maxSteps: task.trainingSteps, candidates: CANDIDATES },
    );
    return {
      episodes: distinct.length + choice.episodes,
      figures,
      report: async () => [await reported(given, 'best of untrained', choice.code), await policy()],
    };
  },
};
