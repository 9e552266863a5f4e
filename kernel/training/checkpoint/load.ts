import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CausalLM } from '../../models/causalLM';
import { shapeText } from '../../models/checkpoint/safetensorsHeader';
import type { Tensor } from '../../onnx/tensor';
import { runtimeSettings } from '../../onnx/threads';
import type { SavedUpdate } from '../trainerParts';
import type { OptimizerState } from '../update/adamw';
import {
  CheckpointError,
  listCheckpoints,
  moments,
  optimizerFile,
  restoreReplaced,
  runStateFile,
  stepName,
  type ExtraTensors,
} from './folders';
import { readRunState, type RunState, type SavedRunState } from './runState';

/** A checkpoint that was read. Its weights are in the model, or where `saved` says. */
export interface LoadedCheckpoint<Saved> {
  folder: string;
  saved: Saved;
  runState: RunState;
}

/** What reads a checkpoint of a trainer. */
export interface CheckpointReader<Saved> {
  read(folder: string, versions: Record<string, number>): Promise<Saved>;
  /** Throws where the trainer's own state is not one that it saved. */
  checkState(state: RunState['state']): void;
}

/**
 * Reads a checkpoint.
 *
 * @param from its folder, or `true` for the newest in `outputDir`; one that is
 * broken is then passed over with a message, and the one before it is taken
 * @throws CheckpointError where there is none that can be read, or it is of another model; `model` is unchanged then
 */
export async function loadCheckpoint<Saved>(
  from: string | true,
  outputDir: string | null,
  reader: CheckpointReader<Saved>,
): Promise<LoadedCheckpoint<Saved>> {
  restoreReplaced(from === true ? (outputDir ?? 'trainer_output') : dirname(resolve(from)));
  if (from !== true) return withAsManyThreads(await loadFolder(from, null, reader));
  const parent = outputDir ?? 'trainer_output';
  const found = listCheckpoints(parent);
  const problems: Error[] = [];
  for (const { folder, state } of found) {
    try {
      const loaded = await loadFolder(folder, state, reader);
      for (const { message } of problems) console.warn(message);
      if (problems.length > 0) console.warn(`The run goes on from ${folder} instead.`);
      return withAsManyThreads(loaded);
    } catch (error) {
      problems.push(error as Error);
    }
  }
  if (problems.length > 0) throw problems[0];
  throw new CheckpointError(`There is no checkpoint in ${resolve(parent)}. Set outputDir, or train from the start.`);
}

/** Warns where a run will not go on bit for bit. */
function withAsManyThreads<Saved>(loaded: LoadedCheckpoint<Saved> & { threads?: number }): LoadedCheckpoint<Saved> {
  const { threads: then, ...checkpoint } = loaded;
  const { threads: now } = runtimeSettings;
  if (then !== undefined && then !== now) {
    console.warn(
      `${loaded.folder} was written with ${then} thread${then === 1 ? '' : 's'}, and this process takes ${now}: the run goes on, but its numbers will differ in the last bits. ` +
        `Start with JOYLAB_THREADS=${then} for the same bits.`,
    );
  }
  return checkpoint;
}

/** @param known its `run_state.json`, where that was read already */
async function loadFolder<Saved>(
  folder: string,
  known: SavedRunState | null,
  { read, checkState }: CheckpointReader<Saved>,
): Promise<LoadedCheckpoint<Saved> & { threads?: number }> {
  if (!fs.existsSync(join(folder, runStateFile))) {
    throw new CheckpointError(`${folder} is not a checkpoint of a run: it has no ${runStateFile}.`);
  }
  try {
    const { saved_at, threads, extras: versions, ...runState } = known ?? readRunState(join(folder, runStateFile));
    checkState(runState.state);
    return { folder, saved: await read(folder, versions), runState, threads };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(
      `The checkpoint ${folder} cannot be loaded: ${reason}. Choose another, or train from the start.`,
      { cause: error },
    );
  }
}

/** Reads the optimizer and what is beside it, and puts the weights into `model`. */
export async function readTensors(
  folder: string,
  versions: Record<string, number>,
  model: CausalLM,
): Promise<SavedUpdate> {
  const shapes = new Map([...model.trainableParameters()].map(([name, { shape }]) => [name, shape]));
  const optimizer = readOptimizer(join(folder, optimizerFile), shapes);
  const extras = new Map<string, ExtraTensors>();
  for (const [name, version] of Object.entries(versions)) {
    extras.set(name, { version, tensors: readFitting(join(folder, `${name}.safetensors`), shapes) });
  }
  await restoreWeights(model, folder);
  return { optimizer, extras };
}

/** Copies the weights that `savePretrained` wrote into the model's own arrays, once all are known to fit. */
async function restoreWeights(model: CausalLM, folder: string): Promise<void> {
  // A model that only generates is as it was.
  if (model.trainableParameters().size === 0) return;
  if (model.adapter) {
    const { PeftModel } = require('../../models/lora/peft') as typeof import('../../models/lora/peft');
    const saved = (await PeftModel.fromPretrained(model, folder)).trainableParameters();
    return copyInto(model, new Map([...saved].map(([name, { shape }]) => [name, shape])), (name) => saved.get(name)!);
  }
  const { weightFiles } =
    require('../../models/checkpoint/weightFiles') as typeof import('../../models/checkpoint/weightFiles');
  const { SafetensorsFile } = safetensors();
  const files = weightFiles(folder).map((path) => new SafetensorsFile(path));
  try {
    const fileOf = new Map(files.flatMap((file) => [...file.shapes.keys()].map((name) => [name, file] as const)));
    const shapes = new Map([...fileOf].map(([name, file]) => [name, file.shapes.get(name)!]));
    // One by one, so that the weights are not in memory twice.
    copyInto(model, shapes, (name) => fileOf.get(name)!.read(name));
  } finally {
    for (const file of files) file.close();
  }
}

function copyInto(
  model: CausalLM,
  shapes: ReadonlyMap<string, readonly number[]>,
  read: (name: string) => Tensor,
): void {
  const parameters = model.trainableParameters();
  for (const [name, own] of parameters) {
    const shape = shapes.get(name);
    if (!shape) throw new Error(`it has no tensor ${name}, so it is of another model`);
    if (shape.join() !== own.shape.join())
      throw new Error(`tensor ${name} has shape ${shapeText(shape)}, the model has ${shapeText(own.shape)}`);
  }
  for (const [name, own] of parameters) own.data.set(read(name).data);
}

function readOptimizer(path: string, parameters: ReadonlyMap<string, number[]>): OptimizerState {
  const shapes = [...parameters].flatMap(([name, shape]) =>
    moments.map((moment): [string, number[]] => [`${name}.${moment}`, shape]),
  );
  const tensors = readFitting(path, new Map(shapes).set(stepName, [1]));
  const [step] = tensors.get(stepName)!.data;
  if (!(Number.isInteger(step) && step >= 0))
    throw new Error(`${optimizerFile}: "${stepName}" must be a whole number from 0, not ${step}`);
  tensors.delete(stepName);
  return { step, tensors };
}

/** Reads the tensors of a file, once they are known to be just those that are wanted. */
function readFitting(path: string, shapes: ReadonlyMap<string, readonly number[]>): Map<string, Tensor> {
  const file = new (safetensors().SafetensorsFile)(path);
  try {
    for (const [name, shape] of shapes) {
      const actual = file.shapes.get(name);
      if (!actual) throw new Error(`${path} has no tensor "${name}", so it is of another model`);
      if (actual.join() !== shape.join())
        throw new Error(
          `${path}: tensor "${name}" has shape ${shapeText(actual)}, this model wants ${shapeText(shape)}`,
        );
    }
    return new Map([...shapes.keys()].map((name) => [name, file.read(name)]));
  } finally {
    file.close();
  }
}

function safetensors(): typeof import('../../models/checkpoint/safetensors') {
  return require('../../models/checkpoint/safetensors');
}
