import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../kernel/common/packagePaths';

/** Steps of the two runs: enough to see how they learn, and few enough for minutes. */
const STEPS = { training: 24, refinement: 10 };

/** Texts of the cells of the project's notebook that the pictures need, in its order. */
const CELLS = [
  'import {\n  FastLanguageModel',
  'let { model, tokenizer }',
  'model = FastLanguageModel.getPeftModel',
  '/** @openenv */',
  'const prompt = strategyPrompt(env)',
  'function functionWorks(',
  'function wins(',
  'const dataset =',
  'const maxSteps =',
  '/** @grpo model=model dataset=dataset */',
];

/** The cells by what they are for. */
export const PLACES = { rewards: 5, training: 9, refinement: 10 };

/** Returns the cells of the project's notebook that lead to its training, with fewer steps, then one that refines programs. */
export function pictureCells(): string[] {
  const { cells } = JSON.parse(readFileSync(join(packageRoot, 'notebooks', 'atari.ipynb'), 'utf8')) as {
    cells: Array<{ cell_type: string; source: string | string[] }>;
  };
  const sources = cells.filter(({ cell_type }) => cell_type === 'code').map(({ source }) => [source].flat().join(''));
  const chosen = CELLS.map((text) => {
    const source = sources.find((one) => one.includes(text));
    if (source === undefined) throw new Error(`notebooks/atari.ipynb has no cell with ${text} any more.`);
    return source.replace(/^const maxSteps = \d+.*$/m, `const maxSteps = ${STEPS.training};`);
  });
  const refining = `/** @grpo dataset=dataset */
const refining: GRPOConfig = { maxSteps: ${STEPS.refinement}, numGenerations: 32, learningRate: 1.5e-3, seed: 3408, refinement: true };`;
  return [...chosen, refining];
}

/** Returns the reward cell as somebody edits it. */
export function editedRewards(source: string): string {
  const edited = source.replace('5 * normalizedReturn(sample)', '5 * normalizedReturn(sample) + survives(sample)');
  if (edited === source)
    throw new Error('The reward cell of notebooks/atari.ipynb is not the one that is edited here.');
  return edited;
}
