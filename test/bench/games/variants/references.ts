import { mean } from '../../common/interval';
import { editorTask } from '../editorTask';
import { PUBLISHED } from '../published';
import type { Line } from '../store';
import { PLAYING, reported, type Given, type Variant } from './variant';

/** Baselines without learning: random actions, every constant action, programs by hand. */
export const references: Variant = {
  description: 'random actions, every constant action, programs by hand',
  sources: [...PLAYING, 'test/bench/games/variants/references.ts', 'test/bench/games/published.ts'],
  async run(given) {
    const { actions } = editorTask(given.env);
    const chance = `const actions = [${actions.join(', ')}];\nfunction strategy(state) { return actions[Math.floor(Math.random() * actions.length)]; }`;
    const report = async (): Promise<Line[]> => {
      const lines = [await reported(given, 'random actions', chance)];
      if (given.task.constants) lines.push(...(await constants(given, actions)));
      for (const [name, program] of Object.entries(given.task.references))
        lines.push(await reported(given, name, program));
      return lines;
    };
    const { human } = given.env;
    const published = [
      ...(human
        ? [
            {
              who: `human, ${human.source}`,
              score: human.mean,
              settings: 'whole games of 5 minutes at most, no sticky actions',
            },
          ]
        : []),
      ...(PUBLISHED[given.task.name] ?? []),
    ];
    return { episodes: 0, published, report };
  },
};

/** Plays every constant action to the first limit of steps, the best of them also to the others. */
async function constants(given: Given, actions: readonly string[]): Promise<Line[]> {
  const [first, ...further] = given.task.reportedSteps;
  const lines: Line[] = [];
  for (const action of actions)
    lines.push(
      await reported(
        given,
        `always ${action.replace(/["{} ]/g, '')}`,
        `function strategy(state) { return ${action}; }`,
        [first],
      ),
    );
  const best = lines.reduce((one, other) => (mean(other.returns[first]) > mean(one.returns[first]) ? other : one));
  Object.assign(best.returns, (await reported(given, best.name, best.program!, further)).returns);
  return lines;
}
