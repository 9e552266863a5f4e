/*
 * One run of the bench, in a process of its own:
 *
 *   node dist/test/bench/games/run.js GAME VARIANT SEED OUT.json [SETTINGS]
 *
 * The result is written as a whole when all is done. What the run logs goes to
 * standard error.
 */
import { availableParallelism } from 'node:os';
import { contentHash, writeResult } from './store';
import { taskNamed } from './tasks';
import { variantNamed } from './variants';
import type { Settings } from './variants/variant';
import { packageRoot } from '../../../kernel/common/packagePaths';

async function main(): Promise<void> {
  const [game, variant, seedText, out, given] = process.argv.slice(2);
  const seed = Number(seedText);
  if (!out || !Number.isInteger(seed)) throw new RangeError('node run.js GAME VARIANT SEED OUT.json [SETTINGS]');
  const { run, sources } = variantNamed(variant);
  const task = taskNamed(game);
  const settings: Settings = given === undefined ? {} : JSON.parse(given);
  const version = contentHash(packageRoot, sources);
  const started = Date.now();
  const log = (line: string): void => console.error(`${((Date.now() - started) / 1000).toFixed(0)} s  ${line}`);
  const env = await task.open();
  try {
    const { report, ...rest } = await run({ task, env, seed, settings, log });
    const seconds = (Date.now() - started) / 1000;
    const lines = await report();
    writeResult(out, {
      game,
      variant,
      seed,
      ...(given !== undefined && { settings: given }),
      version,
      cores: availableParallelism(),
      seconds,
      ...rest,
      lines,
    });
    for (const { name, returns } of lines)
      log(
        `${name}: ${Object.entries(returns)
          .map(
            ([steps, values]) =>
              `${(values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(1)} at ${steps} steps`,
          )
          .join(', ')}`,
      );
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
