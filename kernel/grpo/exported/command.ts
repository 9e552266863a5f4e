import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { defaultDataset } from '../rollouts/prompts';
import { resolveConfig } from '../config';
import { weightedRewards } from '../rewardFuncs';
import { rewardRegistry } from '../session';
import { holdModelsElsewhere, recipeOf, type ModelRecipe } from './heldModel';
import { loadNotebook, type NotebookParts } from './load';
import { BatchScorer, SCRIPT, type Batch } from './scorer';

/** What an exported notebook says of itself. */
export interface NotebookDescription extends ModelRecipe {
  config: NotebookParts['config'];
  /** Settings that the script needs, with their defaults. */
  resolved: { perDeviceTrainBatchSize: number; stepsPerGeneration: number; generationBatchSize: number };
  rewards: { name: string; weight: number }[];
  environment: string | null;
  /** Rows of the data set. */
  rows: Record<string, unknown>[];
}

/** Writes a line. */
type Say = (value: unknown) => Promise<void>;

/** `joylab rewards FILE`: scores completions for the Python script of an exported notebook, in lines of JSON. */
export async function rewardsCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { describe: { type: 'boolean' } },
  });
  if (positionals.length !== 1) throw new Error('usage: joylab rewards FILE, where FILE is what `joylab export` wrote');
  const say = takeStdout();
  holdModelsElsewhere();
  const parts = await loadNotebook(positionals[0]);
  if (values.describe) await say(describe(parts));
  else await serve(parts, say);
  // Environments and their processes are open.
  process.exit(0);
}

/** Lines of JSON go to the output, whatever cells print goes where errors go. */
function takeStdout(): Say {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  return (value) => new Promise((written) => write(`${JSON.stringify(value)}\n`, () => written()));
}

function rewardsOf({ config }: NotebookParts) {
  return weightedRewards(rewardRegistry.list(), config.rewardWeights ?? null);
}

function describe(parts: NotebookParts): NotebookDescription {
  const { config, env, dataset, model } = parts;
  const { perDeviceTrainBatchSize, stepsPerGeneration, generationBatchSize } = resolveConfig(config, SCRIPT);
  if (!env && !dataset) throw new Error('the notebook has neither an environment nor a data set');
  return {
    ...recipeOf(model),
    config,
    resolved: { perDeviceTrainBatchSize, stepsPerGeneration, generationBatchSize },
    rewards: rewardsOf(parts).map(({ name, weight }) => ({ name, weight })),
    environment: env?.name ?? null,
    rows: dataset ?? defaultDataset(env!),
  };
}

async function serve(parts: NotebookParts, say: Say): Promise<void> {
  const scorer = await BatchScorer.create(parts, rewardsOf(parts));
  await say({ names: scorer.names });
  for await (const line of createInterface({ input: process.stdin })) {
    const batch = JSON.parse(line) as Batch;
    await say(await scorer.score(batch).catch((error: Error) => ({ error: error.message })));
  }
}
