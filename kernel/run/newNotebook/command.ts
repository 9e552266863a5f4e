import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ATARI_GAMES, gameTitle, resolveAtariOptions, type AtariGame } from '../../environments';
import { notebookForEnvironment, notebookForGame, type NewNotebook } from './notebooks';

const USAGE =
  'joylab new NAME --game GAME, or joylab new NAME --env 2048|catch|URL|FOLDER|SPACE|IMAGE (`joylab new --games` lists the games)';
const OPTIONS = { game: { type: 'string' }, env: { type: 'string' }, games: { type: 'boolean' } } as const;

/**
 * Runs `joylab new`: writes a notebook that is ready to run. Returns the exit code.
 *
 * @throws Error where an argument is wrong, there is no such game or environment, or the file exists
 */
export function newCommand(args: string[]): number {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
  if (values.games) {
    process.stdout.write(`${ATARI_GAMES.join('\n')}\n`);
    return 0;
  }
  const [name] = positionals;
  if (positionals.length !== 1 || name === '') throw new Error(`one name for the notebook is needed: ${USAGE}`);
  if ((values.game === undefined) === (values.env === undefined))
    throw new Error(`what is it to train on? ${USAGE.replaceAll('NAME', name)}`);
  const file = name.endsWith('.ipynb') ? name : `${name}.ipynb`;
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new Error(`There is no folder ${folder}: make it, or choose another name.`);
  const { notebook, what } =
    values.game === undefined ? notebookForEnvironment(values.env!, folder) : gameOf(values.game);
  write(file, `${JSON.stringify(notebook, null, 1)}\n`);
  // In a clone the commands are run by npm.
  const joylab = process.env.npm_lifecycle_event === 'start' ? 'npm start --' : 'joylab';
  process.stdout.write(
    `${file} trains a model on ${what}. Open it: ${joylab} lab ${quoted(file)} (or run it without a browser: ${joylab} run ${quoted(file)})\n`,
  );
  return 0;
}

/** Takes a game as ALE spells it or as people do: "Space Invaders". */
function gameOf(given: string): NewNotebook {
  const game = given
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_') as AtariGame;
  resolveAtariOptions({ game });
  return notebookForGame(game, gameTitle(game));
}

/** Writes a new file, never over another. */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`${file} exists already, and was left as it is: choose another name.`);
  }
}

function quoted(file: string): string {
  return /^[\w./\\:-]+$/.test(file) ? file : JSON.stringify(file);
}
