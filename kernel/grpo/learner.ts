import { isInWorker } from '../engines/trl/model';
import type { CausalLM } from '../models/causalLM';
import { GgufModel } from '../models/gguf/model';
import { tensorFiles, type UpdateFiles } from '../training/checkpoint/files';
import type { SavedUpdate } from '../training/trainer';
import type { ResolvedConfig } from './config';
import { trlFiles, TrlUpdate, type SavedTrlRun } from './trl/update';
import type { EntropyState } from './update/entropyControl';
import { NoUpdate, type PolicyUpdater } from './update/noUpdate';

/** What moves the weights of a run: an update in this process, or TRL's trainer in the worker that holds the model. */
export type Learner = PolicyUpdater | TrlUpdate;
export type SavedLearner = SavedUpdate | SavedTrlRun;

/** What a learner is made with. */
interface LearnerOptions {
  config: ResolvedConfig;
  totalSteps: number;
  /** Prompts of an evaluation. */
  evalRows: number;
  /** Of the run so far. */
  entropyState: EntropyState | null;
}

/** Returns what moves the weights of a model, from where `saved` says. */
export async function createLearner(
  model: CausalLM,
  { config, totalSteps, evalRows, entropyState }: LearnerOptions,
  saved: SavedLearner | null,
  signal: AbortSignal,
): Promise<Learner> {
  const { epsilon, epsilonHigh, maxCompletionLength } = config;
  const settings = {
    ...config,
    epsilonHigh: epsilonHigh ?? epsilon,
    maxCompletionLength: maxCompletionLength!,
    gradientCheckpointing: config.gradientCheckpointing !== false,
  };
  if (config.learningRate === 0 && (model instanceof GgufModel || isInWorker(model))) return new NoUpdate(settings);
  if (isInWorker(model)) {
    const from = saved && 'trl' in saved ? saved : { trl: null, made: null };
    const update = new TrlUpdate(model, { config, totalSteps, evalRows }, from);
    await update.start(signal);
    return update;
  }
  const { PolicyUpdate } = require('./update/policyUpdate') as typeof import('./update/policyUpdate');
  const from = saved && 'optimizer' in saved ? saved : null;
  const update = await PolicyUpdate.create(model, settings, from);
  if (entropyState && settings.useAdaptiveEntropy) update.entropyControl.state = entropyState;
  return update;
}

/** Returns how runs of a model are kept. */
export function learnerFiles(model: CausalLM): UpdateFiles<Learner, SavedLearner> {
  const tensors = tensorFiles<PolicyUpdater>(model);
  if (!isInWorker(model)) return tensors as UpdateFiles<Learner, SavedLearner>;
  const trl = trlFiles(model);
  // What only searches makes no steps there.
  return {
    state: (update) => (update instanceof TrlUpdate ? trl.state(update) : tensors.state(update)),
    write: (update, place) => (update instanceof TrlUpdate ? trl.write(update, place) : tensors.write(update, place)),
    read: trl.read,
    kept: trl.kept,
  };
}
