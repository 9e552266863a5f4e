#!/usr/bin/env node
import { parseArgs } from 'node:util';

const USAGE = `joylab: reinforcement learning with language models in a TypeScript notebook

  joylab lab [NOTEBOOK] [JUPYTERLAB OPTIONS]   open JupyterLab (by default on notebooks/atari.ipynb)
  joylab run NOTEBOOK [--output FILE]          run a notebook without a browser
  joylab install [--prefix FOLDER]             register kernel and extension in a Jupyter prefix
  joylab kernel CONNECTION_FILE                run the kernel (Jupyter calls this)
`;

/** What each command does. Loaded when called, so that the kernel starts quickly. */
const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  async kernel([connectionFile]) {
    if (!connectionFile) throw new Error('which connection file? joylab kernel CONNECTION_FILE');
    const { startKernel } = await import('./jupyter/index.js');
    await startKernel(connectionFile);
    return 0;
  },

  async lab(args) {
    const { lab } = await import('./run/lab.js');
    return lab(args);
  },

  async run(args) {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { output: { type: 'string' } } });
    if (positionals.length !== 1) throw new Error('`joylab run` takes one notebook: joylab run NOTEBOOK [--output FILE]');
    const { runNotebook } = await import('./run/notebook.js');
    return runNotebook(positionals[0], values.output ?? positionals[0]);
  },

  async install(args) {
    const { values } = parseArgs({ args, options: { prefix: { type: 'string' } } });
    const { pythonPrefix } = await import('./setup/python.js');
    const { installKernel } = await import('./install.js');
    const { installLabextension } = await import('./setup/labextension.js');
    const prefix = values.prefix ?? pythonPrefix();
    process.stdout.write(`${installKernel({ prefix })}\n${installLabextension({ prefix })}\n`);
    return 0;
  }
};

async function main(): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  const command = COMMANDS[name];
  if (!command) {
    process.stderr.write(name === '--help' || name === '-h' ? USAGE : `${name ? `There is no command ${name}.\n\n` : ''}${USAGE}`);
    process.exitCode = name === '--help' || name === '-h' ? 0 : 2;
    return;
  }
  try {
    process.exitCode = await command(args);
  } catch (error) {
    process.stderr.write(`joylab ${name}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

void main();
