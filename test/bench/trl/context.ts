import { textTable } from '../../../kernel/display/table';
import { ours } from './joylab';
import { gibibytes } from './time';
import { type Setup, withShape } from './setup';

/** Tokens of a completion after the long prompt. */
const COMPLETION = 32;

/** What is measured. */
export interface ContextOptions {
  size: string;
  /** Of the prompt. */
  tokens: number;
  loadIn4bit: boolean;
  attention: string;
  steps: number;
}

/** Seconds of a step and memory with a long prompt. */
export async function context({ size, tokens, ...options }: ContextOptions): Promise<void> {
  await withShape(size, async (folder) => {
    const setup: Setup = {
      ...options,
      folder,
      // A byte is a token.
      prompt: Array.from({ length: tokens }, (_, i) => (i % 9 === 8 ? '\n' : 'x')).join(''),
      generations: 2,
      tokens: COMPLETION,
      gradientCheckpointing: true,
      launch: { processes: 1, isSharded: false },
    };
    const { seconds, peaks } = await ours(setup);
    console.log(
      `\ngpt-oss ${size}, random weights${options.loadIn4bit ? ' in 4 bits' : ''}, ${options.attention} attention, gradient checkpointing\n`,
    );
    const row = [String(tokens), String(COMPLETION), seconds.map((s) => s.toFixed(1)).join(', '), gibibytes(peaks)];
    const columns = ['tokens of the prompt', 'of a completion', 's of each step', 'GiB at most'];
    console.log(
      textTable(
        columns.map((title) => ({ title })),
        [row],
      ),
    );
  });
}
