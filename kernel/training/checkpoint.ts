import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CausalLM } from '../models/causalLM';
import { shapeText } from '../models/safetensorsHeader';
import type { Tensor } from '../onnx/tensor';
import { runtimeSettings } from '../onnx/threads';
import type { OptimizerState } from './adamw';
import { readRunState, type RunState, type SavedRunState } from './runState';

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

const optimizerFile = 'optimizer.safetensors';
const trainerStateFile = 'trainer_state.json';
const runStateFile = 'run_state.json';

/** A checkpoint could not be written or read. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** Tensors of a run beside weights and optimizer. */
export interface ExtraTensors {
  /** Changes with the values: a checkpoint shares the file of an earlier one of the same version. */
  version: number;
  tensors: ReadonlyMap<string, Tensor>;
}

/** What a checkpoint is made of. Tensors are written from where they are, without a copy in memory. */
export interface CheckpointParts {
  model: CausalLM;
  optimizer: OptimizerState;
  /** By file name. */
  extras: ReadonlyMap<string, ExtraTensors>;
  /** Transformers' `TrainerState`. */
  trainerState: object;
  runState: RunState;
}

/** A checkpoint that was read. Its weights are in the model. */
export interface LoadedCheckpoint {
  folder: string;
  optimizer: OptimizerState;
  extras: Map<string, ExtraTensors>;
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
    await parts.model.savePretrained(partial);
    safetensors().writeSafetensors(join(partial, optimizerFile), optimizerTensors(parts.optimizer));
    for (const [name, extra] of parts.extras) writeExtra(outputDir, partial, name, extra, parts.runState.run_id);
    writeJson(join(partial, trainerStateFile), parts.trainerState);
    const extras = Object.fromEntries([...parts.extras].map(([name, { version }]) => [name, version]));
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
    throw new CheckpointError(writeProblem(folder, step, error as NodeJS.ErrnoException), { cause: error });
  }
}

/** A name that no reader takes for a checkpoint, and that says whose it is. */
function hidden(outputDir: string, step: number, what: string): string {
  return resolve(outputDir, `.checkpoint-${step}.${what}-${process.pid}`);
}

/** What a process left that was killed while it wrote. */
function removeLeftovers(outputDir: string): void {
  for (const { path } of leftovers(outputDir)) fs.rmSync(path, { recursive: true, force: true });
}

/** Puts a checkpoint back in its place that a process had set aside when it was killed, before the new one took the place. */
function restoreReplaced(outputDir: string): void {
  if (!fs.existsSync(outputDir)) return;
  for (const { path, step, what } of leftovers(outputDir)) {
    const place = join(outputDir, `checkpoint-${step}`);
    if (what === 'replaced' && !fs.existsSync(place)) fs.renameSync(path, place);
  }
}

/** Hidden folders that no living process but this one writes. */
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

/** false where the file system has no links. */
function linkQuietly(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** So that the renamed folder is whole even after a power cut. */
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

function writeProblem(folder: string, step: number, error: NodeJS.ErrnoException): string {
  const reason: Record<string, string> = {
    ENOSPC: 'the disk is full: free some space',
    EDQUOT: 'the disk quota is used up: free some space',
    EACCES: 'the folder may not be written: choose another outputDir',
    EROFS: 'the file system is read-only: choose another outputDir',
    ENOTDIR: 'a part of the path is a file: choose another outputDir',
    EEXIST: 'a part of the path is a file: choose another outputDir',
    EFBIG: 'the file would be larger than the system allows: raise the limit or choose another outputDir',
  };
  const what = reason[errorCode(error) ?? ''] ?? `${error.message}: choose another outputDir, or none`;
  return (
    `The checkpoint of step ${step} could not be written to ${folder}: ${what}. ` +
    `Training is paused and nothing is lost: run the training again and it goes on after step ${step}.`
  );
}

/** The system's code of an error or of what caused it. */
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

/** A folder that looks like a checkpoint; `state` is null where it cannot be read, and the folder's own time counts. */
interface Found {
  folder: string;
  step: number;
  savedAt: number;
  state: SavedRunState | null;
}

/**
 * The checkpoints in a folder, last written first: another run may have left
 * some of higher steps.
 */
function listCheckpoints(outputDir: string): Found[] {
  if (!fs.existsSync(outputDir)) return [];
  const found = fs.readdirSync(outputDir).flatMap((name): Found[] => {
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

/**
 * Reads a checkpoint, and puts its weights into `model`.
 *
 * @param from its folder, or `true` for the newest in `outputDir`; one that is
 * broken is then passed over with a message, and the one before it is taken
 * @param checkState throws where the trainer's own state is not one that it saved
 * @throws CheckpointError where there is none that can be read, or it is of another model; `model` is unchanged then
 */
export async function loadCheckpoint(
  from: string | true,
  outputDir: string | null,
  model: CausalLM,
  checkState: (state: RunState['state']) => void,
): Promise<LoadedCheckpoint> {
  restoreReplaced(from === true ? (outputDir ?? 'trainer_output') : dirname(resolve(from)));
  if (from !== true) return withAsManyThreads(await loadFolder(from, model, checkState));
  const parent = outputDir ?? 'trainer_output';
  const found = listCheckpoints(parent);
  const problems: Error[] = [];
  for (const { folder } of found) {
    try {
      const loaded = await loadFolder(folder, model, checkState);
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

/** Says where a run will not go on bit for bit. */
function withAsManyThreads(loaded: LoadedCheckpoint & { threads?: number }): LoadedCheckpoint {
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

async function loadFolder(
  folder: string,
  model: CausalLM,
  checkState: (state: RunState['state']) => void,
): Promise<LoadedCheckpoint & { threads?: number }> {
  if (!fs.existsSync(join(folder, runStateFile))) {
    throw new CheckpointError(`${folder} is not a checkpoint of a run: it has no ${runStateFile}.`);
  }
  try {
    const { saved_at, threads, extras: versions, ...runState } = readRunState(join(folder, runStateFile));
    checkState(runState.state);
    const shapes = new Map([...model.trainableParameters()].map(([name, { shape }]) => [name, shape]));
    const optimizer = readOptimizer(join(folder, optimizerFile), shapes);
    const extras = new Map<string, ExtraTensors>();
    for (const [name, version] of Object.entries(versions)) {
      extras.set(name, { version, tensors: readFitting(join(folder, `${name}.safetensors`), shapes) });
    }
    await restoreWeights(model, folder);
    return { folder, optimizer, extras, runState, threads };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(
      `The checkpoint ${folder} cannot be loaded: ${reason}. Choose another, or train from the start.`,
      { cause: error },
    );
  }
}

/** Copies the weights that `savePretrained` wrote into the model's own arrays, once all are known to fit. */
async function restoreWeights(model: CausalLM, folder: string): Promise<void> {
  // A model that only generates is as it was.
  if (model.trainableParameters().size === 0) return;
  if (model.adapter) {
    const { PeftModel } = require('../models/peft') as typeof import('../models/peft');
    const saved = (await PeftModel.fromPretrained(model, folder)).trainableParameters();
    return copyInto(model, new Map([...saved].map(([name, { shape }]) => [name, shape])), (name) => saved.get(name)!);
  }
  const { weightFiles } = require('../models/weightFiles') as typeof import('../models/weightFiles');
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

/** The step is a tensor, too, as in PyTorch's optimizers. */
const stepName = 'step';
const moments = ['exp_avg', 'exp_avg_sq'];

function optimizerTensors({ step, tensors }: OptimizerState): Map<string, Tensor> {
  return new Map(tensors).set(stepName, { shape: [1], data: Float32Array.of(step) });
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

function safetensors(): typeof import('../models/safetensors') {
  return require('../models/safetensors');
}
