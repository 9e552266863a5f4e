import * as joylab from '../../../kernel';
import { textTable } from '../../../kernel/display/table';
import { ours } from './joylab';
import { plain, plainInTurns } from './plain';
import { called, type Launch, type Measured, type Setup, withShape } from './setup';

/** Steps that warm up. */
const FIRST = 2;

/** What is measured: each number of completions by each launch. */
export interface TimeOptions {
  size: string;
  generations: number[];
  steps: number;
  tokens: number;
  loadIn4bit: boolean;
  attention: string;
  launches: Launch[];
  /** Both sides are loaded at once, and make their steps in turns: what else the machine does is the same for both. */
  inTurns: boolean;
}

/** Seconds of a step and memory, beside plain TRL. */
export async function time({ size, generations, launches, inTurns, ...options }: TimeOptions): Promise<void> {
  const env = (await joylab.openenv('atari', { game: 'breakout' })) as joylab.AtariEnvironment;
  const rows: string[][] = [];
  try {
    await withShape(size, async (folder) => {
      const prompt = `<|start|>user: ${joylab.strategyPrompt(env)}\nassistant: `;
      for (const count of generations) {
        const alone: Measured[] = [];
        for (const launch of launches) {
          const setup: Setup = { folder, prompt, generations: count, launch, gradientCheckpointing: false, ...options };
          const sides = inTurns ? await bothInTurns(setup, env) : [plain(setup), await ours(setup, env)];
          if (launch.processes === 1) alone.push(...sides);
          rows.push(row(setup, sides, alone, inTurns));
          console.log(JSON.stringify({ generations: count, launch, plain: sides[0], joylab: sides[1] }));
        }
      }
    });
  } finally {
    await env.close();
  }
  const { loadIn4bit, tokens, steps, attention } = options;
  console.log(
    `\ngpt-oss ${size}, random weights${loadIn4bit ? ' in 4 bits' : ''}, LoRA r 4, ${attention} attention, ${tokens} tokens, ${steps} steps, of which ${FIRST} warm up; median (quartiles)\n`,
  );
  console.log(
    textTable(
      COLUMNS.map((title) => ({ title })),
      rows,
    ),
  );
}

async function bothInTurns(setup: Setup, env: joylab.AtariEnvironment): Promise<Measured[]> {
  const other = await plainInTurns(setup);
  const mine = await ours(setup, env, () => other.step());
  return [await other.result(), mine];
}

const COLUMNS = [
  'completions',
  'processes',
  'TRL, s a step',
  'Joylab',
  'more',
  'TRL, times as fast as 1',
  'Joylab',
  'TRL, GiB of a GPU',
  'Joylab',
];

function row({ generations, launch }: Setup, sides: Measured[], alone: Measured[], inTurns: boolean): string[] {
  const medians = sides.map(({ seconds }) => quantile(seconds, 0.5));
  // Steps in turns are pairs: what slowed one down was there for the other.
  const [plainSeconds, oursSeconds] = sides.map(({ seconds }) => seconds);
  const ratios = oursSeconds.map((seconds, step) => seconds / plainSeconds[step]);
  const ratio = inTurns ? quantile(ratios, 0.5) : medians[1] / medians[0];
  return [
    String(generations),
    called(launch),
    ...sides.map(({ seconds }) => {
      const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => quantile(seconds, q).toFixed(2));
      return `${middle} (${low}–${high})`;
    }),
    `${(100 * (ratio - 1)).toFixed(1)} %`,
    ...medians.map((median, i) => (alone[i] ? (quantile(alone[i].seconds, 0.5) / median).toFixed(2) : '–')),
    ...sides.map(({ peaks }) => gibibytes(peaks)),
  ];
}

/** Of the steps that do not warm up. */
function quantile(ofSteps: readonly number[], q: number): number {
  const sorted = ofSteps.slice(FIRST).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** Memory of each GPU. */
export function gibibytes(peaks: readonly number[]): string {
  return peaks.map((peak) => (peak > 0 ? (peak / 2 ** 30).toFixed(1) : '–')).join(', ');
}
