import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RolloutEnvironment } from '../../environments';
import type { GRPOConfig } from '../config';
import type { TrainRow } from '../rollouts/prompts';

/** What an exported notebook consists of. */
export interface NotebookParts {
  config: GRPOConfig;
  model: unknown;
  env: RolloutEnvironment | null;
  dataset: TrainRow[] | null;
}

/** The package's built folder: what `joylab` means for the program. */
const KERNEL = resolve(__dirname, '..', '..');

/** Runs the program of an exported notebook, whose rewards are registered then. */
export async function loadNotebook(path: string): Promise<NotebookParts> {
  const file = resolve(path);
  if (!existsSync(file)) throw new Error(`there is no file ${path}`);
  const { build } = await import('esbuild');
  const joylab = (name: string) => pathToFileURL(join(KERNEL, name === 'joylab' ? 'index.js' : 'internal.js')).href;
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    // Names of functions are names of rewards, those of classes of environments.
    keepNames: true,
    sourcemap: 'inline',
    logLevel: 'silent',
    plugins: [
      {
        name: 'joylab',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^joylab(\/internal)?$/ }, ({ path: name }) => ({ path: joylab(name), external: true })),
      },
    ],
  });
  // In its folder, so that it finds the packages that are installed there.
  const module = join(dirname(file), `.notebook-${process.pid}.mjs`);
  writeFileSync(module, outputFiles[0].text);
  try {
    return (await import(pathToFileURL(module).href)).default;
  } finally {
    rmSync(module, { force: true });
  }
}
