#!/usr/bin/env node
import Module from 'node:module';
import { parseArgs } from 'node:util';
// First of all: it switches ONNX Runtime's telemetry off, in this process and in those that it starts.
import './onnx/runtime';

const USAGE = `joylab: reinforcement learning with language models in a TypeScript notebook

  joylab lab [NOTEBOOK] [JUPYTERLAB OPTIONS]   open JupyterLab (by default on notebooks/atari.ipynb)
  joylab new NAME --game GAME                  write a notebook that trains a model on an Atari game
  joylab run NOTEBOOK [--output FILE]          run a notebook without a browser, or the cells of a TypeScript file
  joylab serve FILE [OPTIONS]                  serve the environment of a TypeScript file or a notebook by OpenEnv
  joylab serve-model FOLDER [OPTIONS]          serve a model by OpenAI's protocol of chat completions
  joylab check TARGET [OPTIONS]                check whether an environment is worth training on
  joylab export NOTEBOOK --to trl|hf-job [-o FOLDER]
                                               write the notebook's training as a script of TRL's, or as a job of Hugging Face
  joylab gguf folder FILE FOLDER               write the model of a GGUF file as a folder that can be trained
  joylab gguf install                          bring llama.cpp now, which plays GGUF models (else at the first one)
  joylab setup gpu [OPTIONS]                   make and check the Python environment of PyTorch and TRL
  joylab install [OPTIONS]                     register kernel and extension in Jupyter
  joylab uninstall [OPTIONS]                   take them out again
  joylab kernel CONNECTION_FILE                run the kernel (Jupyter calls this)
  joylab rewards FILE                          score completions for an exported script (that calls this)

Options of new:
  --game GAME          one of the Atari games; --games lists them
  --env ENVIRONMENT    instead: 2048, catch (a class in a cell), or what \`openenv\` opens: an address, a folder, a Space, an image

Options of serve:
  --port NUMBER        (8000)
  --host ADDRESS       (127.0.0.1; 0.0.0.0 for other machines, too)
  --capacity NUMBER    sessions at a time (64)
  --environment NAME   the class, where the file has several
  --export FOLDER      write a folder that can be pushed as a Space, instead

Options of serve-model:
  --port NUMBER        (8001)
  --host ADDRESS       (127.0.0.1; 0.0.0.0 for other machines, too)
  --name NAME          by which clients ask for the model (the folder's)
  --api-key-env NAME   environment variable with the key that clients must send
  --max-seq-length N, --load-in-4bit, --load-in-8bit, --backend NAME   as fromPretrained has them

Options of check (TARGET is what \`openenv\` opens: an address, a folder, a name):
  --options JSON       of \`openenv\`: '{"game": "pong"}'
  --seconds NUMBER     that it may take (60)
  --max-steps NUMBER   of an episode (1000)
  --target NUMBER      the return of a perfect episode, if it is known
  --json               the report as JSON; exit code 0: worth training on, 1: not, 2: it could not be opened

Options of gguf folder:
  --dtype TYPE         of the weights (float32; float16 or bfloat16 take half of it)

Options of setup gpu:
  --unsloth            with Unsloth, and the versions that it wants
  --check              make nothing, check what is there (or what JOYLAB_GPU_PYTHON names)
  --torch-index NAME   another PyTorch than the usual one: cu130, rocm6.4, cpu …, or an index's address

Options of install and uninstall:
  --sys-prefix         in the active Python environment (the one of \`python\` on the PATH)
  --user               for this user
  --prefix FOLDER      in FOLDER/share/jupyter
                       without any of these: in the package's own .venv where there is one, else for this user
  --name NAME          the kernel's name in Jupyter (joylab)
  --display-name TEXT  what launchers show (Joylab (TypeScript)); install only
`;

const PLACES = {
  user: { type: 'boolean' },
  'sys-prefix': { type: 'boolean' },
  prefix: { type: 'string' },
  name: { type: 'string' },
} as const;

/** The commands. Each loads its code when called, so that the kernel starts quickly. */
const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  async kernel([connectionFile]) {
    if (!connectionFile) throw new Error('which connection file? joylab kernel CONNECTION_FILE');
    // Node.js 22 and later: what was compiled once, the TypeScript compiler above all, is read from a cache.
    (Module as { enableCompileCache?: () => void }).enableCompileCache?.();
    const { startKernel } = await import('./main.js');
    await startKernel(connectionFile);
    return 0;
  },

  async lab(args) {
    const { lab } = await import('./run/lab.js');
    return lab(args);
  },

  async new(args) {
    const { newCommand } = await import('./run/newNotebook/command.js');
    return newCommand(args);
  },

  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { output: { type: 'string' } },
    });
    if (positionals.length !== 1)
      throw new Error(
        '`joylab run` takes one notebook, or a TypeScript file: joylab run NOTEBOOK|FILE.ts [--output NOTEBOOK]',
      );
    const { runNotebook } = await import('./run/notebook.js');
    return runNotebook(positionals[0], values.output);
  },

  async serve(args) {
    const { serveCommand } = await import('./openenv/serving/command/command.js');
    const { readServedClass } = await import('./main.js');
    return serveCommand(args, readServedClass);
  },

  async 'serve-model'(args) {
    const { serveModelCommand } = await import('./chat/serving/command.js');
    return serveModelCommand(args);
  },

  async check(args) {
    const { checkCommand } = await import('./check/command.js');
    return checkCommand(args);
  },

  async export(args) {
    const { exportCommand } = await import('./main.js');
    return exportCommand(args);
  },

  async rewards(args) {
    const { rewardsCommand } = await import('./grpo/exported/command.js');
    return rewardsCommand(args);
  },

  async gguf(args) {
    const { ggufCommand } = await import('./models/gguf/command.js');
    return ggufCommand(args);
  },

  async setup(args) {
    const { setupCommand } = await import('./install/gpu/command.js');
    return setupCommand(args);
  },

  async install(args) {
    const { values } = parseArgs({ args, options: { ...PLACES, 'display-name': { type: 'string' } } });
    const { install, missingForServers } = await import('./install/install.js');
    const options = { ...values, sysPrefix: values['sys-prefix'], displayName: values['display-name'] };
    print(install(options));
    const missing = missingForServers(options);
    if (missing) process.stderr.write(`${missing}\n`);
    return 0;
  },

  async uninstall(args) {
    const { values } = parseArgs({ args, options: PLACES });
    const { uninstall } = await import('./install/install.js');
    print(uninstall({ ...values, sysPrefix: values['sys-prefix'] }));
    return 0;
  },
};

function print(folders: string[]): void {
  for (const folder of folders) process.stdout.write(`${folder}\n`);
}

const HELP = new Set(['--help', '-h', 'help']);

async function main(): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  // What follows `lab` is for JupyterLab, which has a help of its own.
  if (HELP.has(name) || (name !== 'lab' && args.some((argument) => HELP.has(argument)))) {
    process.stdout.write(USAGE);
    return;
  }
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : null;
  if (!command) {
    process.stderr.write(`${name ? `There is no command ${name}.\n\n` : ''}${USAGE}`);
    process.exitCode = 2;
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
