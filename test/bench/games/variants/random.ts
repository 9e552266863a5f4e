import { editorTask } from '../editorTask';
import { randomSearch } from '../randomSearch';
import { EPISODES, PLAYING, reported, type Variant } from './variant';

/** The rival without a model. */
export const random: Variant = {
  description: 'random edits of decision lists, the same search',
  sources: [...PLAYING, 'kernel/grpo/refinement', ...['decisionList', 'randomEditor', 'randomSearch', 'choosing', 'variants/random'].map((name) => `test/bench/games/${name}.ts`)],
  async run(given) {
    const { task, env, seed, log } = given;
    const { code, episodes, improved } = await randomSearch(env, editorTask(env), { seed, episodes: EPISODES, maxSteps: task.trainingSteps, log });
    return { lines: [await reported(given, 'random edits', code)], episodes, figures: { improved } };
  },
};
