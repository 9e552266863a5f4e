import * as joylab from '../../../kernel';
import { textTable } from '../../../kernel/display/table';
import { ours } from './joylab';
import { gibibytes } from './time';
import { withShape, type Setup } from './setup';

/** Steps and memory of a small model of gpt-oss's shape whose random weights are in a folder, by each back end. */
export async function small(
  backends: ReadonlyArray<'trl' | 'unsloth'>,
  options: Pick<Setup, 'steps' | 'tokens' | 'loadIn4bit'>,
): Promise<void> {
  const env = (await joylab.openenv('atari', { game: 'breakout' })) as joylab.AtariEnvironment;
  const rows: string[][] = [];
  try {
    const use = async (folder: string) => {
      const prompt = `<|start|>user: ${joylab.strategyPrompt(env)}\nassistant: `;
      for (const backend of backends) {
        const launch = { processes: 1, isSharded: false };
        const setup: Setup = { folder, backend, prompt, launch, ...options, attention: '', ...SIZES };
        const { seconds, peaks } = await ours(setup, env);
        rows.push([backend, seconds.map((s) => s.toFixed(1)).join(', '), gibibytes(peaks)]);
      }
    };
    await withShape('small', use, { hasWeights: true });
  } finally {
    await env.close();
  }
  console.log('\nA small gpt-oss with random weights, LoRA r 4\n');
  const columns = ['back end', 's of each step', 'GiB at most'];
  console.log(
    textTable(
      columns.map((title) => ({ title })),
      rows,
    ),
  );
}

const SIZES = { generations: 4, gradientCheckpointing: false };
