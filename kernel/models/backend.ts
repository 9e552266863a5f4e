import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checked, oneOf, record, text, whole, type Given } from '../common/settings';
import { sshAddress, SSH_FORM } from '../common/sshAddress';
import { FAMILIES } from './families';
import { isObject, readJsonFile } from './checkpoint/jsonFile';

/** What can hold a model. */
export const BACKENDS = ['onnx', 'trl', 'unsloth'] as const;
export type Backend = (typeof BACKENDS)[number];

const named = oneOf('auto', ['auto', ...BACKENDS]);

/** Which back end holds a model, and what only some of them know. */
export const backendSettings = {
  /**
   * What holds the model and trains it: 'onnx' this process, on the processor; 'trl' a worker of PyTorch, transformers, PEFT
   * and TRL, on a GPU where there is one; 'unsloth' the same with Unsloth. 'auto' takes one that can do what is asked for,
   * and says which and why where there was a choice. 'ssh://user@host/path/to/python' is 'trl' on a machine that ssh reaches,
   * with `?backend=unsloth` at its end 'unsloth'. 'auto' by default.
   */
  backend: checked<'auto' | Backend | `ssh://${string}`, 'auto'>(
    'auto',
    `${named.valid}, or ${SSH_FORM}`,
    (value) => named.accepts(value) || sshAddress(value) !== null,
  ),
  /** Type of the weights in memory (`trl`, `unsloth`; `onnx` has float32). 'bfloat16' on a GPU, else 'float32' by default. */
  dtype: oneOf(undefined, ['float32', 'bfloat16', 'float16']),
  /** How attention is computed, by transformers' names: 'eager', 'sdpa', 'flash_attention_2' … (`trl`, `unsloth`). transformers' choice by default. */
  attnImplementation: text(undefined, "a name that transformers knows, such as 'eager' or 'sdpa'"),
  /** 'random': weights are not read, but made at random from the folder's `config.json`, to measure time and memory (`trl`). 'pretrained' by default. */
  initWeights: oneOf('pretrained', ['pretrained', 'random']),
  /**
   * Processes that train together (`trl`, `unsloth`): `{ numProcesses: 2 }`, as many as there are GPUs to use, or
   * `{ configFile: 'fsdp.yaml' }`, a configuration of accelerate with all that it can do, on the worker's machine. One process by default.
   */
  launch: checked<{ numProcesses?: number; configFile?: string }>(
    undefined,
    "{ numProcesses: 2 } or { configFile: 'accelerate.yaml' }",
    isLaunch,
  ),
  /** More arguments of transformers' or Unsloth's `from_pretrained`, by their names (`trl`, `unsloth`). `null` by default: none. */
  modelInitKwargs: record<Record<string, unknown>>(
    'arguments of from_pretrained, such as { max_memory: { 0: "20GiB" } }',
  ),
  /** Seed of weights that are made at random. 3407 by default. */
  initSeed: whole(3407, { from: 0 }),
};

export interface BackendOptions extends Given<typeof backendSettings> {
  loadIn4bit?: boolean;
  loadIn8bit?: boolean;
}

const IN_WORKER: readonly Backend[] = ['trl', 'unsloth'];
/** Settings that not every back end can honour, and those that can. */
const HONOUR: Record<string, readonly Backend[]> = {
  dtype: IN_WORKER,
  attnImplementation: IN_WORKER,
  initWeights: ['trl'],
  initSeed: ['trl'],
  launch: IN_WORKER,
  modelInitKwargs: IN_WORKER,
};
/** Values that say no more than what every back end does. */
const NEUTRAL: Record<string, readonly unknown[]> = {
  dtype: ['float32'],
  initWeights: ['pretrained'],
  modelInitKwargs: [null],
};

/** Models of fewer parameters train in this process about as fast as the first step of a worker takes. */
const SMALL = 50e6;

/**
 * Returns the back end that holds a model, and says which where there was a choice.
 *
 * @param folder of the model
 * @throws TypeError where a setting is not one of the back end's, with those whose it is
 */
export async function chooseBackend(folder: string, options: BackendOptions): Promise<Backend> {
  const { backend: given = 'auto' } = options;
  const backend = sshAddress(given)?.backend ?? (given as 'auto' | Backend);
  const particular = Object.entries(HONOUR).filter(([name]) => {
    const value = options[name as keyof BackendOptions];
    return value !== undefined && !NEUTRAL[name]?.includes(value);
  });
  if (backend !== 'auto') {
    for (const [name, backends] of particular)
      if (!backends.includes(backend)) throw new TypeError(notHonoured(name, backends, backend));
    return backend;
  }
  const [chosen, why] = await automatic(folder, particular);
  if (why) console.log(`backend '${chosen}': ${why}.`);
  return chosen;
}

/** Returns the sentence for a setting that a back end has not. */
export function notHonoured(name: string, backends: readonly string[], backend: string): string {
  const list = backends.map((one) => `'${one}'`).join(' and ');
  return `${name} is a setting of the back end${backends.length > 1 ? 's' : ''} ${list}, and this model's is '${backend}': leave it out, or load the model with backend: '${backends[0]}'.`;
}

async function automatic(
  folder: string,
  particular: Array<[string, readonly Backend[]]>,
): Promise<[Backend, string | null]> {
  // An engine in another process is loaded only where models are.
  const { gpuPython, hasPackages, SET_UP } = require('../engines/trl/python') as typeof import('../engines/trl/python');
  const python = gpuPython();
  const inWorker: Backend = python && hasPackages(python, ['unsloth']) ? 'unsloth' : 'trl';
  if (particular.length > 0) {
    const [[name, backends]] = particular;
    const both = particular.every(([, of]) => of.includes(inWorker)) ? inWorker : backends[0];
    return [both, `${name} is given`];
  }
  const { family, parameters } = sizeOfModel(folder);
  if (!FAMILIES.has(family)) {
    if (python) return [inWorker, `this process cannot train models of the family ${family}`];
    // The message that names the families that can be trained here is better than that packages are missing.
    return ['onnx', null];
  }
  const gpu = gpuDevice();
  if (!python) return ['onnx', gpu ? `this machine has ${gpu}, but no Python for it yet: ${SET_UP}` : null];
  if (!gpu) return ['onnx', 'no GPU was found'];
  if (parameters < SMALL) return ['onnx', `a model of ${Math.round(parameters / 1e6)} M parameters needs no GPU`];
  return [inWorker, `there is ${gpu}`];
}

/** A GPU of this machine as its driver shows it, in words. */
function gpuDevice(): string | null {
  if (existsSync('/dev/nvidiactl') || existsSync('/dev/dxg')) return 'an NVIDIA GPU';
  return existsSync('/dev/kfd') ? 'an AMD GPU' : null;
}

/** What a folder says of its model: about how many parameters it has. */
function sizeOfModel(folder: string): { family: string; parameters: number } {
  const file = join(folder, 'config.json');
  const raw = existsSync(file) ? readJsonFile(file) : {};
  const size = (name: string) => (typeof raw[name] === 'number' ? (raw[name] as number) : 0);
  const [width, inner, layers] = [size('hidden_size'), size('intermediate_size'), size('num_hidden_layers')];
  const experts = Math.max(1, size('num_local_experts'), size('num_experts'));
  return {
    family: String(raw.model_type),
    parameters: size('vocab_size') * width + layers * (4 * width * width + 3 * width * inner * experts),
  };
}

function isLaunch(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { numProcesses, configFile, ...others } = value as { numProcesses?: unknown; configFile?: unknown };
  const isCount = Number.isSafeInteger(numProcesses) && (numProcesses as number) > 0;
  const isFile = typeof configFile === 'string' && configFile !== '';
  return (
    Object.keys(others).length === 0 && (configFile === undefined ? isCount : isFile && numProcesses === undefined)
  );
}
