import type { CellKind } from '../cells/kinds';

/** What a cell is for: a kind with a directive, or the model that training wants. */
export type Part = CellKind | 'model';

/** A cell for each part, with the names of the Atari notebook. They run as they are. */
export const TEMPLATES: Record<Part, string> = {
  openenv: `/** @openenv */
const env = await openenv('atari', { game: 'breakout' });`,

  model: `import { FastLanguageModel } from 'joylab';

let { model, tokenizer } = await FastLanguageModel.fromPretrained({
  modelName: 'joylab/strategist', // bundled with Joylab; or a folder with a Hugging Face checkpoint
  maxSeqLength: 1024
});
model = FastLanguageModel.getPeftModel(model, { r: 16, loraAlpha: 32 });`,

  reward: `/** How well does it play? 0: like chance, 5: like a human, -5: not at all.
 * @reward */
function strategySucceeds(sample: Sample) {
  return 5 * normalizedReturn(sample);
}`,

  grpo: `/** @grpo */
const config: GRPOConfig = {
  maxSteps: 60,
  numGenerations: 32, // completions of a group
  maxCompletionLength: 128,
  temperature: 1.0,
  learningRate: 1.5e-3,
  adamBeta2: 0.99,
  warmupSteps: 5,
  lrSchedulerType: 'linear',
  beta: 0,
  targetKl: 0.2, // halve a step that changes the policy by more
  seed: 3407
};`,
};
