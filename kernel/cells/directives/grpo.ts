import { currentCell, KeyboardInterrupt } from '../cell';
import { CellFailure, CellPaused } from '../errors';
import type { Variables } from '../variables';
import { meant } from './arguments';
import type { Arguments, Declared, Directive } from './directive';

/** `@grpo`: trains the notebook's model on its environment with the registered rewards. */
export const grpo: Directive = {
  name: 'grpo',
  documentation:
    'Trains with GRPO by the configuration that the cell declares: the newest model of the notebook with its tokenizer, the newest environment, and the registered rewards. Interrupting pauses, running the cell again resumes.',
  parameters: [
    { name: 'model', type: 'variable', documentation: 'The model to train. Default: the newest model.' },
    { name: 'tokenizer', type: 'variable', documentation: 'Its tokenizer. Default: the one that it was loaded with.' },
    { name: 'env', type: 'variable', documentation: 'The environment to play. Default: the newest environment.' },
    {
      name: 'dataset',
      type: 'variable',
      documentation: 'The prompts. Default: the prompt that describes the environment.',
    },
    {
      name: 'evalDataset',
      type: 'variable',
      documentation: 'The prompts of evaluations, for evalStrategy. Default: none.',
    },
    { name: 'trainer', type: 'variable', documentation: "The trainer's variable. Default: `trainer`." },
  ],

  gives(args, _target, declared) {
    const name = trainerName(args, declared);
    return name ? { [name]: "import('joylab').GRPOTrainer" } : {};
  },

  async apply({ args, declared, variables }) {
    const name = declared.findLast(({ kind }) => kind === 'const')?.name;
    const config = name && variables.get(name);
    if (typeof config !== 'object' || config === null) {
      throw new CellFailure(
        'DirectiveError',
        '@grpo found no configuration. Declare one in the cell: const config: GRPOConfig = { maxSteps: 60, numGenerations: 32 };',
      );
    }
    const model = modelOf(args, variables);
    const parts = {
      model,
      tokenizer: tokenizerOf(model, args, variables),
      env: part('env', args, variables),
      dataset: named('dataset', args, variables),
      evalDataset: named('evalDataset', args, variables),
    };
    const { grpoCell } = await import('../../grpo/cell.js');
    const { notebook } = await import('../../grpo/session.js');
    const variable = trainerName(args, declared);
    const pause = new CellPaused('The training was paused. Run the cell again to go on.');
    try {
      const trainer = await interruptedAs(pause, () => grpoCell(config, parts as Parameters<typeof grpoCell>[1]));
      if (trainer.pausedFromView) throw pause;
    } finally {
      // A run that is paused has a trainer, too.
      if (variable && notebook.newestRun) variables.set(variable, notebook.newestRun.trainer);
    }
  },
};

/** Returns the name of the trainer's variable; undefined when the cell declares that name itself. */
function trainerName(args: Arguments, declared: readonly Declared[]): string | undefined {
  const chosen = typeof args.trainer === 'string' ? args.trainer : 'trainer';
  return declared.some(({ name }) => name === chosen) ? undefined : chosen;
}

/**
 * Does `work`, of which an interrupt makes a pause: nothing is shown as an error.
 *
 * #### Notes
 * Only in front ends that say which cell they run, where somebody sees the view and can
 * resume. For those that run notebooks alone (nbclient, papermill) an interrupt is an
 * error that they find in the outputs, too.
 */
async function interruptedAs<Result>(pause: CellPaused, work: () => Promise<Result>): Promise<Result> {
  const cell = currentCell();
  if (cell?.id === undefined) return work();
  cell.interruption = pause;
  let failed = false;
  try {
    return await work();
  } catch (error) {
    failed = !(error instanceof KeyboardInterrupt);
    throw error;
  } finally {
    // An interrupt that has ended the work is reported after it.
    if (failed || !cell.interrupted) cell.interruption = null;
  }
}

/** For each part of a run a test for its values, and a cell that makes one. */
const KINDS = {
  model: {
    test: hasMethods('generate', 'savePretrained'),
    cell: "let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });",
  },
  tokenizer: {
    test: hasMethods('encode', 'decode', 'applyChatTemplate'),
    cell: "let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });",
  },
  env: {
    test: hasMethods('reset', 'step', 'vectorSources'),
    cell: "const env = await openenv('atari', { game: 'breakout' });",
  },
};

/** Returns a part that a run needs: the named variable, or the newest of its kind. Throws a {@link CellFailure} when there is none. */
function part(kind: keyof typeof KINDS, args: Arguments, variables: Variables): unknown {
  const { test, cell } = KINDS[kind];
  const value = named(kind, args, variables);
  if (value !== undefined) {
    if (test(value)) return value;
    throw new CellFailure(
      'DirectiveError',
      `@grpo ${kind}=${args[kind]}: the variable ${args[kind]} is not ${article(kind)}. Make one in a cell: ${cell}`,
    );
  }
  const newest = variables.newest(test);
  if (newest) return newest.value;
  throw new CellFailure(
    'DirectiveError',
    `@grpo needs ${article(kind)}, and the notebook has none yet. Run a cell above with: ${cell}`,
  );
}

/** Returns the model to train. Where the notebook has several and none is named, a line says which one it is. */
function modelOf(args: Arguments, variables: Variables): unknown {
  const model = part('model', args, variables);
  if (args.model !== undefined) return model;
  // The base of an adapter is not another model.
  const same = [model, (model as { base?: unknown }).base];
  const isOther = (value: unknown) => KINDS.model.test(value) && !same.includes(value);
  const others = variables.names().filter((name) => isOther(variables.get(name)));
  if (others.length > 0) {
    const { name } = variables.newest((value) => value === model)!;
    currentCell()?.output.stream(
      'stdout',
      `Trains ${name}, the newest model of the notebook. For another: @grpo model=${others.join(', or model=')}.\n`,
    );
  }
  return model;
}

/** Returns the tokenizer that is named, else the model's own, else the newest. */
function tokenizerOf(model: unknown, args: Arguments, variables: Variables): unknown {
  const own = (model as { tokenizer?: unknown }).tokenizer;
  return args.tokenizer === undefined && KINDS.tokenizer.test(own) ? own : part('tokenizer', args, variables);
}

function named(kind: string, args: Arguments, variables: Variables): unknown {
  const name = args[kind];
  if (name === undefined) return undefined;
  if (typeof name === 'string' && variables.has(name)) return variables.get(name);
  throw new CellFailure(
    'DirectiveError',
    `@grpo ${kind}=${name}: there is no variable ${name}.${meant(String(name), variables.names())} Declare it in a cell above, or leave the argument out.`,
  );
}

function article(kind: keyof typeof KINDS): string {
  return { model: 'a model', tokenizer: 'a tokenizer', env: 'an environment' }[kind];
}

function hasMethods(...names: string[]): (value: unknown) => boolean {
  return (value) =>
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
