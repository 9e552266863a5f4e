import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { adviceOnName } from '../../common/names';
import { sourceLines, withoutOutputs, type Notebook, type NotebookCell } from '../../common/notebook';
import { packageRoot } from '../../common/packagePaths';
import { gameNotebook } from '../../environments';
import { readTarget } from '../../openenv/launch/target';
import { ABOUT_CATCH, CATCH } from './catch';

export interface NewNotebook {
  notebook: Notebook;
  /** What it trains on, for people. */
  what: string;
}

/** IDs of cells that are in no other notebook. */
const ABOUT = 'about-environment';
const ENVIRONMENT = 'environment';
const NAMES = ['2048', 'catch'];

/** Returns the Atari notebook for a game. */
export function notebookForGame(name: string, title: string): NewNotebook {
  return { notebook: gameNotebook(read('atari'), { name, title }), what: title };
}

/**
 * Returns a notebook for an environment: one that has a notebook of its own, a class in
 * a cell, or whatever `openenv` opens.
 *
 * @param folder of the notebook, to which paths are relative there
 * @throws Error where it is none
 */
export function notebookForEnvironment(given: string, folder: string): NewNotebook {
  const name = given.toLowerCase().replace(/^game2048$/, '2048');
  if (name === '2048') return { notebook: withoutOutputs(read('2048')), what: '2048' };
  if (name === 'catch')
    return {
      notebook: general('Catch', markdown(ABOUT, ABOUT_CATCH), code(ENVIRONMENT, CATCH)),
      what: 'Catch, an environment in a cell',
    };
  if (name === 'atari')
    throw new Error('which Atari game? Give --game instead: --game pong. `joylab new --games` lists them.');
  const target = readTarget(given);
  if (!target)
    throw new Error(
      `There is no environment '${given}'. ${adviceOnName(name, NAMES, 'names')} Also an address (http://…), a folder, a Space (owner/name) or a Docker image (name:tag); games of Atari by --game.`,
    );
  const from = target.kind === 'folder' ? pathFrom(folder, given) : given;
  const cell = code(ENVIRONMENT, `/** @openenv */\nconst env = await openenv(${JSON.stringify(from)});`);
  return { notebook: general(given, OPENED, cell), what: given };
}

function pathFrom(folder: string, given: string): string {
  if (given.startsWith('~') || isAbsolute(given)) return given;
  if (!existsSync(given)) throw new Error(`There is no folder ${resolve(given)}.`);
  const path = relative(folder, resolve(given)).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

function read(name: string): Notebook {
  return JSON.parse(readFileSync(join(packageRoot, 'notebooks', `${name}.ipynb`), 'utf8'));
}

const OPENED = markdown(
  ABOUT,
  '## The environment\n\nThe cell opens it and shows its card: what a strategy does (actions), what it sees (state), and a Play button where it can be drawn. `checkEnv(env)` tells whether it is worth training on.',
);

/** The first and last of the cells of the Atari notebook that are as good for any environment. */
const MODEL = ['cell-01', 'cell-05'];
const TRAINING: string[][] = [
  ['cell-21', 'cell-30'],
  ['cell-33', 'cell-42'],
];

/** Returns a notebook that trains on the environment of some cells, of cells of the Atari notebook. */
function general(title: string, ...environment: NotebookCell[]): Notebook {
  const { cells, ...rest } = withoutOutputs(read('atari'));
  const index = (id: string) => {
    const at = cells.findIndex((cell) => cell.id === id);
    if (at < 0) throw new Error(`notebooks/atari.ipynb has no cell ${id}.`);
    return at;
  };
  const part = ([first, last]: string[]) => cells.slice(index(first), index(last) + 1);
  const what = [intro(title), ...part(MODEL), ...environment, ...TRAINING.flatMap(part), END];
  return { ...rest, cells: what };
}

function intro(title: string): NotebookCell {
  return markdown(
    'introduction',
    `# Teach a language model to play ${title}\n\nA small language model writes a short function, \`strategy(state)\`. The function plays. Reward functions score how it went, and GRPO (group relative policy optimisation) changes the model so that it writes better functions. Then the model edits what it has found, and all of it is compared with chance.\n\nRun the cells from top to bottom. Then change the rewards and run them again: that is what this notebook is for.`,
  );
}

const END = markdown(
  'what-next',
  '## What next?\n\n- Other rewards: pay for what leads to a win, for an episode that lasts, for short code.\n- A longer run: raise `maxSteps`, `searchSteps`, or `numGenerations`.\n- More policies: a strategy by hand, or a model behind an address, is one line of `benchmark`.',
);

function markdown(id: string, text: string): NotebookCell {
  return { cell_type: 'markdown', id, metadata: {}, source: sourceLines(text) };
}

function code(id: string, text: string): NotebookCell {
  return { cell_type: 'code', id, metadata: {}, execution_count: null, outputs: [], source: sourceLines(text) };
}
