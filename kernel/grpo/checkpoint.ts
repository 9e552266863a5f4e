import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import type { TrainingEvent } from '../display/mime';
import type { CausalLM } from '../models/causalLM';
import type { Tensor } from '../onnx/tensor';
import type { ResolvedConfig } from './config';
import type { Metrics } from './metrics';
import type { SavedRollouts } from './scoredRollouts';
import type { OptimizerState } from './update';

/** Where a run stands, beside its weights: `trainer_state.json`, by transformers' names where it has them. */
export interface TrainerState {
  run_id: string;
  global_step: number;
  max_steps: number;
  num_input_tokens_seen: number;
  log_history: Metrics[];
  events: TrainingEvent[];
  /** Metrics of the steps since the last log entry. */
  pending_metrics: Record<string, number[]>;
  args: ResolvedConfig;
  /** Rollouts that the next step uses again (`numIterations` above 1). */
  rollouts: SavedRollouts | null;
}

/** A checkpoint could not be written or read. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** What a checkpoint is made of. */
export interface CheckpointParts {
  model: CausalLM;
  optimizer: OptimizerState;
  state: TrainerState;
}

const optimizerFile = 'optimizer.safetensors';
const stateFile = 'trainer_state.json';

/**
 * Writes `<outputDir>/checkpoint-<step>`: the adapter (or the model) as
 * `savePretrained` writes it, the optimizer, and the state of the run. The
 * folder appears whole or not at all.
 *
 * @throws CheckpointError that says what to do; nothing of the run is lost
 */
export async function saveCheckpoint(outputDir: string, parts: CheckpointParts, saveTotalLimit: number | null): Promise<string> {
  const step = parts.state.global_step;
  const folder = resolve(outputDir, `checkpoint-${step}`);
  const partial = resolve(outputDir, `.checkpoint-${step}.partial-${process.pid}`);
  try {
    fs.mkdirSync(outputDir, { recursive: true });
    fs.rmSync(partial, { recursive: true, force: true });
    await parts.model.savePretrained(partial);
    writeOptimizer(join(partial, optimizerFile), parts.optimizer);
    fs.writeFileSync(join(partial, stateFile), JSON.stringify(parts.state));
    for (const name of fs.readdirSync(partial)) flush(join(partial, name));
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(partial, folder);
    removeOldest(outputDir, saveTotalLimit);
    return folder;
  } catch (error) {
    removeQuietly(partial);
    throw new CheckpointError(writeProblem(folder, step, error as NodeJS.ErrnoException), { cause: error });
  }
}

/** So that the renamed folder is whole even after a power cut. */
function flush(path: string): void {
  const file = fs.openSync(path, 'r+');
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

function writeProblem(folder: string, step: number, error: NodeJS.ErrnoException): string {
  const reason: Record<string, string> = {
    ENOSPC: 'the disk is full: free some space',
    EDQUOT: 'the disk quota is used up: free some space',
    EACCES: 'the folder may not be written: choose another outputDir',
    EROFS: 'the file system is read-only: choose another outputDir',
    ENOTDIR: 'a part of the path is a file: choose another outputDir',
    EFBIG: 'the file would be larger than the system allows: raise the limit or choose another outputDir',
  };
  const what = reason[error.code ?? ''] ?? `${error.message}: choose another outputDir, or none`;
  return (
    `The checkpoint of step ${step} could not be written to ${folder}: ${what}. ` +
    `Training is paused and nothing is lost: run the training again and it goes on after step ${step}.`
  );
}

function removeQuietly(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch {
    // The disk is in trouble, and the error that is on its way says so.
  }
}

function removeOldest(outputDir: string, limit: number | null): void {
  if (limit === null) return;
  for (const { folder } of checkpoints(outputDir).slice(0, -limit)) fs.rmSync(folder, { recursive: true, force: true });
}

/** The checkpoints in a folder, oldest step first. */
function checkpoints(outputDir: string): Array<{ step: number; folder: string }> {
  if (!fs.existsSync(outputDir)) return [];
  return fs
    .readdirSync(outputDir)
    .flatMap((name) => {
      const match = /^checkpoint-(\d+)$/.exec(name);
      return match ? [{ step: Number(match[1]), folder: join(outputDir, name) }] : [];
    })
    .sort((a, b) => a.step - b.step);
}

/**
 * Reads a checkpoint, and puts its weights into `model`.
 *
 * @param from its folder, or `true` for the newest in `outputDir`
 * @throws CheckpointError where it is missing, broken, or of another model; `model` is unchanged then
 */
export async function loadCheckpoint(
  from: string | true,
  outputDir: string | null,
  model: CausalLM,
): Promise<{ state: TrainerState; optimizer: OptimizerState }> {
  const folder = from === true ? newest(outputDir) : from;
  if (!fs.existsSync(join(folder, stateFile))) {
    throw new CheckpointError(`${folder} is not a checkpoint of a run: it has no ${stateFile}.`);
  }
  try {
    const state = JSON.parse(fs.readFileSync(join(folder, stateFile), 'utf8')) as TrainerState;
    const optimizer = readOptimizer(join(folder, optimizerFile));
    await restoreWeights(model, folder);
    return { state, optimizer };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError(`The checkpoint ${folder} cannot be loaded: ${reason}. Choose another, or train from the start.`, { cause: error });
  }
}

function newest(outputDir: string | null): string {
  const found = checkpoints(outputDir ?? 'trainer_output').at(-1);
  if (found) return found.folder;
  throw new CheckpointError(`There is no checkpoint in ${resolve(outputDir ?? 'trainer_output')}. Set outputDir, or train from the start.`);
}

/** Copies the weights that `savePretrained` wrote into the model's own arrays, once all are known to fit. */
async function restoreWeights(model: CausalLM, folder: string): Promise<void> {
  const saved = await savedWeights(model, folder);
  const pairs = [...model.trainableParameters()].map(([name, own]): [Tensor, Tensor] => {
    const tensor = saved.get(name);
    if (!tensor) throw new Error(`it has no tensor ${name}, so it is of another model`);
    if (tensor.shape.join() !== own.shape.join()) {
      throw new Error(`tensor ${name} has shape [${tensor.shape.join(', ')}], the model has [${own.shape.join(', ')}]`);
    }
    return [own, tensor];
  });
  for (const [own, tensor] of pairs) own.data.set(tensor.data);
}

async function savedWeights(model: CausalLM, folder: string): Promise<Map<string, Tensor>> {
  if (!model.adapter) return safetensors().readSafetensors(join(folder, 'model.safetensors'));
  const { PeftModel } = require('../models/peft') as typeof import('../models/peft');
  return (await PeftModel.fromPretrained(model, folder)).trainableParameters();
}

/** The step is a tensor, too, as in PyTorch's optimizers. */
const stepName = 'step';

function writeOptimizer(path: string, { step, tensors }: OptimizerState): void {
  const all = new Map(tensors).set(stepName, { shape: [1], data: Float32Array.of(step) });
  safetensors().writeSafetensors(path, all);
}

function readOptimizer(path: string): OptimizerState {
  const tensors = safetensors().readSafetensors(path);
  const step = tensors.get(stepName);
  if (!step) throw new Error(`${optimizerFile} has no tensor "${stepName}"`);
  tensors.delete(stepName);
  return { step: step.data[0], tensors };
}

function safetensors(): typeof import('../models/safetensors') {
  return require('../models/safetensors');
}
