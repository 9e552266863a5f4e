import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { shownPath } from '../../common/shownPath';
import type { CausalLM } from '../../models/causalLM';
import type { Tensor } from '../../onnx/tensor';
import { runtimeSettings } from '../../onnx/threads';
import type { SavedUpdate } from '../trainerParts';
import type { OptimizerState } from '../update/adamw';
import type { CheckpointPlace } from './files';
import {
  CheckpointError,
  hidden,
  listCheckpoints,
  NoRoomError,
  optimizerFile,
  removeLeftovers,
  restoreReplaced,
  runStateFile,
  stepName,
  trainerStateFile,
  type ExtraTensors,
} from './folders';
import type { RunState, SavedRunState } from './runState';

/** Parts of a checkpoint. */
export interface CheckpointParts {
  /** Writes weights and optimizer; returns the versions of what is beside them, by name. */
  write(place: CheckpointPlace): Promise<Record<string, number>>;
  /** Transformers' `TrainerState`. */
  trainerState: object;
  runState: RunState;
}

/**
 * Writes `<outputDir>/checkpoint-<step>`. The folder appears whole or not at
 * all, whenever the process ends; an earlier one of the same name is kept
 * until then, and found again where a kill comes between.
 *
 * @returns the folder
 * @throws CheckpointError that says what to do; nothing of the run is lost
 */
export async function saveCheckpoint(
  outputDir: string,
  parts: CheckpointParts,
  saveTotalLimit: number | null,
): Promise<string> {
  const step = parts.runState.global_step;
  const folder = resolve(outputDir, `checkpoint-${step}`);
  const partial = hidden(outputDir, step, 'partial');
  try {
    fs.mkdirSync(outputDir, { recursive: true });
    restoreReplaced(outputDir);
    removeLeftovers(outputDir);
    const extras = await parts.write({ folder: partial, outputDir, runId: parts.runState.run_id });
    // TRL writes its own, and goes on from it.
    if (!fs.existsSync(join(partial, trainerStateFile))) writeJson(join(partial, trainerStateFile), parts.trainerState);
    writeJson(join(partial, runStateFile), {
      ...parts.runState,
      saved_at: Date.now(),
      threads: runtimeSettings.threads,
      extras,
    } satisfies SavedRunState);
    for (const name of fs.readdirSync(partial)) flush(join(partial, name));
    flush(partial);
    replaceFolder(partial, folder, hidden(outputDir, step, 'replaced'));
    flush(outputDir);
    removeOldest(outputDir, saveTotalLimit);
    return folder;
  } catch (error) {
    removeQuietly(partial);
    throw writeError(shownPath(folder), step, error as NodeJS.ErrnoException);
  }
}

function replaceFolder(from: string, to: string, aside: string): void {
  if (fs.existsSync(to)) fs.renameSync(to, aside);
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (fs.existsSync(aside)) fs.renameSync(aside, to);
    throw error;
  }
  removeQuietly(aside);
}

/** Writes weights and optimizer as tensors, from where they are, without a copy in memory. */
export async function writeTensors(
  model: CausalLM,
  { optimizer, extras }: SavedUpdate,
  { folder, outputDir, runId }: CheckpointPlace,
): Promise<Record<string, number>> {
  await model.savePretrained(folder);
  safetensors().writeSafetensors(join(folder, optimizerFile), optimizerTensors(optimizer));
  for (const [name, extra] of extras) writeExtra(outputDir, folder, name, extra, runId);
  return Object.fromEntries([...extras].map(([name, { version }]) => [name, version]));
}

/** Writes extra tensors, or shares the file of a checkpoint of this run that has them. */
function writeExtra(
  outputDir: string,
  partial: string,
  name: string,
  { version, tensors }: ExtraTensors,
  runId: string,
): void {
  const file = `${name}.safetensors`;
  const same = listCheckpoints(outputDir).find(
    ({ state }) => state?.run_id === runId && state.extras?.[name] === version,
  );
  if (same && linkQuietly(join(same.folder, file), join(partial, file))) return;
  safetensors().writeSafetensors(join(partial, file), tensors);
}

/** Returns false where the file system has no links. */
function linkQuietly(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Flushes a file or folder, so that the renamed folder is whole even after a power cut. */
function flush(path: string): void {
  const file = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

function writeJson(path: string, value: object): void {
  fs.writeFileSync(path, JSON.stringify(value, null, 1) + '\n');
}

/** Codes of the system that say that there is no room. */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG'];

function writeError(folder: string, step: number, error: NodeJS.ErrnoException): CheckpointError {
  const reason: Record<string, string> = {
    ENOSPC: 'the disk is full: free some space',
    EDQUOT: 'the disk quota is used up: free some space',
    EACCES: 'the folder may not be written: choose another outputDir',
    EROFS: 'the file system is read-only: choose another outputDir',
    ENOTDIR: 'a part of the path is a file: choose another outputDir',
    EEXIST: 'a part of the path is a file: choose another outputDir',
    EFBIG: 'the file would be larger than the system allows: raise the limit or choose another outputDir',
  };
  const code = errorCode(error) ?? '';
  const what = reason[code] ?? `${error.message}: choose another outputDir, or none`;
  const problem = `The checkpoint of step ${step} could not be written to ${folder}: ${what}.`;
  const message = `${problem} Training is paused and nothing is lost: run the training again and it goes on after step ${step}.`;
  return NO_ROOM.includes(code)
    ? new NoRoomError(problem, message, { cause: error })
    : new CheckpointError(message, { cause: error });
}

/** Returns the system's code of an error or of what caused it. */
function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return (error as NodeJS.ErrnoException).code ?? errorCode(error.cause);
}

function removeQuietly(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch {
    // The disk is in trouble: an error that says so is on its way, or the next checkpoint tries again.
  }
}

function removeOldest(outputDir: string, limit: number | null): void {
  if (limit === null) return;
  const readable = listCheckpoints(outputDir).filter(({ state }) => state !== null);
  for (const { folder } of readable.slice(limit)) fs.rmSync(folder, { recursive: true, force: true });
}

function optimizerTensors({ step, tensors }: OptimizerState): Map<string, Tensor> {
  return new Map(tensors).set(stepName, { shape: [1], data: Float32Array.of(step) });
}

function safetensors(): typeof import('../../models/checkpoint/safetensors') {
  return require('../../models/checkpoint/safetensors');
}
