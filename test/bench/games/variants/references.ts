import { editorTask } from '../editorTask';
import type { Line } from '../store';
import { PLAYING, reported, type Variant } from './variant';

/** What needs no learning: random actions, every constant action, programs by hand. */
export const references: Variant = {
  description: 'random actions, every constant action, programs by hand',
  sources: [...PLAYING, 'test/bench/games/variants/references.ts'],
  async run(given) {
    const { actions } = editorTask(given.env);
    const chance = `const actions = [${actions.join(', ')}];\nfunction strategy(state) { return actions[Math.floor(Math.random() * actions.length)]; }`;
    const constants = given.task.constants ? actions.map((action) => [`always ${action.replace(/["{} ]/g, '')}`, `function strategy(state) { return ${action}; }`]) : [];
    const programs = [['random actions', chance], ...constants, ...Object.entries(given.task.references)];
    const report = async (): Promise<Line[]> => {
      const lines = [];
      for (const [name, program] of programs) lines.push(await reported(given, name, program));
      return lines;
    };
    return { episodes: 0, report };
  },
};
