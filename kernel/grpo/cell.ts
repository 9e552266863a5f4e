import type { RolloutEnvironment } from '../environments/environment';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import { changedSettings } from '../training/settings';
import { resolveConfig, type GRPOConfig } from './config';
import { placeOf } from './trl/place';
import type { TrainRow } from './rollouts/prompts';
import { notebook, type Session } from './session';
import { GRPOTrainer, type TrainOptions } from './trainer';

/** Model, environment and data of a `@grpo` cell. */
export interface GRPOCellParts {
  model: CausalLM;
  /** The model's own by default. */
  tokenizer?: Tokenizer;
  env?: RolloutEnvironment | null;
  /** Rows `{ prompt }`; the environment's prompt by default. */
  dataset?: TrainRow[];
  /** Rows to evaluate on, see `evalStrategy`. */
  evalDataset?: TrainRow[];
}

/** A run of a `@grpo` cell, which a later cell may continue. */
export interface GRPOCellRun {
  trainer: GRPOTrainer;
  parts: GRPOCellParts;
}

/**
 * Runs a `@grpo` cell: trains the model on the environment with the functions
 * of `rewardRegistry`, with its output under the cell. An interrupt pauses the
 * run; running the cell again continues it.
 *
 * #### Notes
 * A run continues when it has not finished and model, environment and data set
 * are the same objects. Changed settings hold from its next step on, and are
 * marked on the charts. With another seed, or after a finished run, a new run
 * starts on the model as it is.
 *
 * @returns the trainer, once the run has ended or paused
 */
export async function grpoCell(
  config: GRPOConfig,
  parts: GRPOCellParts,
  options: TrainOptions = {},
  session = notebook,
): Promise<GRPOTrainer> {
  const trainer = (await continued(config, parts, session.newestRun)) ?? startNew(config, parts, session);
  session.newestRun = { trainer, parts };
  trainer.cellResumes = true;
  await trainer.train(options);
  return trainer;
}

/** Returns the trainer of the newest run, with these settings; `null` when it cannot continue. */
async function continued(
  config: GRPOConfig,
  parts: GRPOCellParts,
  newest: GRPOCellRun | null,
): Promise<GRPOTrainer | null> {
  if (!newest || newest.trainer.status === 'finished') return null;
  const { trainer, parts: before } = newest;
  const names = ['model', 'tokenizer', 'env', 'dataset', 'evalDataset'] as const;
  const same = names.every((name) => before[name] === parts[name]);
  if (!same) return null;
  const changed = changedSettings(trainer.args, resolveConfig(config, placeOf(trainer.model)));
  if (changed.includes('seed')) {
    console.log(
      `Another seed: the paused run (step ${trainer.globalStep}) is left, and a new one starts on the model as it is.`,
    );
    await trainer.dispose();
    return null;
  }
  await trainer.configure(config);
  if (trainer.globalStep > 0) console.log(`The paused run goes on after step ${trainer.globalStep}.`);
  return trainer;
}

function startNew(
  args: GRPOConfig,
  { model, tokenizer, env, dataset: trainDataset, evalDataset }: GRPOCellParts,
  session: Session,
): GRPOTrainer {
  return new GRPOTrainer({
    model,
    processingClass: tokenizer ?? model.tokenizer,
    env,
    args,
    trainDataset,
    evalDataset,
    session,
  });
}
