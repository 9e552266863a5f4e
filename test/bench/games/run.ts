/*
 * One run of the bench, in a process of its own:
 *
 *   node dist/test/bench/games/run.js GAME VARIANT SEED OUT.json
 *
 * The result is written as a whole when all is done. What the run logs goes to
 * standard error.
 */
import { availableParallelism } from 'node:os';
import { contentHash, writeResult } from './store';
import { taskNamed } from './tasks';
import { variantNamed } from './variants';
import { packageRoot } from '../../../kernel/setup/python';

async function main(): Promise<void> {
  const [game, variant, seedText, out] = process.argv.slice(2);
  const seed = Number(seedText);
  if (!out || !Number.isInteger(seed)) throw new RangeError('node run.js GAME VARIANT SEED OUT.json');
  const { run, sources } = variantNamed(variant);
  const task = taskNamed(game);
  const version = contentHash(packageRoot, sources);
  const started = Date.now();
  const log = (line: string): void => console.error(`${((Date.now() - started) / 1000).toFixed(0)} s  ${line}`);
  const env = await task.open();
  try {
    const { lines, ...rest } = await run({ task, env, seed, log });
    writeResult(out, { game, variant, seed, version, cores: availableParallelism(), seconds: (Date.now() - started) / 1000, ...rest, lines });
    for (const { name, returns } of lines) log(`${name}: ${Object.entries(returns).map(([steps, values]) => `${(values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(1)} at ${steps} steps`).join(', ')}`);
  } finally {
    await env.close();
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
