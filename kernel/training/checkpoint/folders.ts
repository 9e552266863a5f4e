import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import type { Tensor } from '../../onnx/tensor';
import { readRunState, type SavedRunState } from './runState';

/*
 * A checkpoint is a folder `checkpoint-<step>`:
 *
 *   adapter_model.safetensors, adapter_config.json   the adapter as PEFT has it, or
 *   model.safetensors, config.json, tokenizer …      the model as transformers has it
 *   optimizer.safetensors                            AdamW's steps and moments
 *   <name>.safetensors                               other tensors of the run: `reference`
 *   trainer_state.json                               transformers' file, for its tools
 *   run_state.json                                   what else the run needs to go on exactly
 *
 * The learning rate is a function of the step, and every random number of seed
 * and step, so that scheduler and sampler have no state beside these.
 */

export const optimizerFile = 'optimizer.safetensors';
export const trainerStateFile = 'trainer_state.json';
export const runStateFile = 'run_state.json';

/** The step is a tensor, too, as in PyTorch's optimizers. */
export const stepName = 'step';
export const moments = ['exp_avg', 'exp_avg_sq'];

/** Thrown where a checkpoint cannot be written or read. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** Thrown where a checkpoint finds no room on the disk: a run can go on without it. */
export class NoRoomError extends CheckpointError {
  /** @param problem what could not be written, and why, without what follows for the run */
  constructor(
    readonly problem: string,
    message: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Tensors of a run beside weights and optimizer. */
export interface ExtraTensors {
  /** Changes with the values: a checkpoint shares the file of an earlier one of the same version. */
  version: number;
  tensors: ReadonlyMap<string, Tensor>;
}

/** Returns a name that no reader takes for a checkpoint, and that says which process writes it. */
export function hidden(outputDir: string, step: number, what: string): string {
  return resolve(outputDir, `.checkpoint-${step}.${what}-${process.pid}`);
}

/** Removes what a process left that was killed while it wrote. */
export function removeLeftovers(outputDir: string): void {
  for (const { path } of leftovers(outputDir)) fs.rmSync(path, { recursive: true, force: true });
}

/** Puts a checkpoint back in its place that a process had set aside when it was killed, before the new one took the place. */
export function restoreReplaced(outputDir: string): void {
  if (!fs.existsSync(outputDir)) return;
  for (const { path, step, what } of leftovers(outputDir)) {
    const place = join(outputDir, `checkpoint-${step}`);
    if (what === 'replaced' && !fs.existsSync(place)) fs.renameSync(path, place);
  }
}

/** Returns hidden folders that no living process but this one writes. */
function leftovers(outputDir: string): Array<{ path: string; step: string; what: string }> {
  return fs.readdirSync(outputDir).flatMap((name) => {
    const [, step, what, owner] = /^\.checkpoint-(\d+)\.(partial|replaced)-(\d+)$/.exec(name) ?? [];
    return owner && (Number(owner) === process.pid || !isAlive(Number(owner)))
      ? [{ path: join(outputDir, name), step, what }]
      : [];
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A folder that looks like a checkpoint; `state` is null where it cannot be read, and the folder's own time counts. */
export interface FoundCheckpoint {
  folder: string;
  step: number;
  savedAt: number;
  state: SavedRunState | null;
}

/**
 * Returns the checkpoints in a folder, last written first: another run may have left
 * some of higher steps.
 */
export function listCheckpoints(outputDir: string): FoundCheckpoint[] {
  if (!fs.existsSync(outputDir)) return [];
  const found = fs.readdirSync(outputDir).flatMap((name): FoundCheckpoint[] => {
    const match = /^checkpoint-(\d+)$/.exec(name);
    const folder = join(outputDir, name);
    if (!match) return [];
    const state = readQuietly(join(folder, runStateFile));
    return [{ folder, step: Number(match[1]), savedAt: state?.saved_at ?? fs.lstatSync(folder).mtimeMs, state }];
  });
  return found.sort((a, b) => b.savedAt - a.savedAt || b.step - a.step);
}

function readQuietly(path: string): SavedRunState | null {
  try {
    return readRunState(path);
  } catch {
    return null;
  }
}
