import type { CausalLM } from '../../models/causalLM';
import type { SavedUpdate, TrainerUpdate } from '../trainerParts';
import { readTensors } from './load';
import { writeTensors } from './save';

/** Where a checkpoint is being written, and whose it is. */
export interface CheckpointPlace {
  /** The folder, which has no other name yet. */
  folder: string;
  outputDir: string;
  runId: string;
}

/**
 * How a run's weights and optimizer get from one update to the next, into
 * checkpoints and out of them: by tensors of this process, or as another
 * process that holds them does.
 */
export interface UpdateFiles<Update, Saved> {
  /** Returns what another update goes on from. This one makes no step any more. */
  state(update: Update): Saved | Promise<Saved>;
  /** @returns the versions of what it wrote beside weights and optimizer, by name */
  write(update: Update, place: CheckpointPlace): Promise<Record<string, number>>;
  /** Reads what {@link write} wrote. Where it throws, the model is unchanged. */
  read(folder: string, versions: Record<string, number>): Promise<Saved>;
  /** Called with the folder of a checkpoint that was written, or read. */
  kept?(folder: string): void;
}

/** Those of an update in this process. */
export function tensorFiles<Update extends TrainerUpdate>(model: CausalLM): UpdateFiles<Update, SavedUpdate> {
  return {
    state: (update) => stateOf(update),
    write: (update, place) => writeTensors(model, stateOf(update), place),
    read: (folder, versions) => readTensors(folder, versions, model),
  };
}

/** Returns the state of an update: another one goes on from it, and a checkpoint keeps it. */
function stateOf(update: TrainerUpdate): SavedUpdate {
  return { optimizer: update.state(), extras: update.extras?.() ?? new Map() };
}
