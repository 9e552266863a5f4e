import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { packageRoot } from '../../../kernel/common/packagePaths';
import { workerPython } from '../../../kernel/engines/trl/python';

/** How many processes train a model, and how they share it. */
export interface Launch {
  processes: number;
  /** Each has a part of the weights (FSDP), not all of them. */
  isSharded: boolean;
}

/** What is trained, and how; both sides do the same. */
export interface Setup {
  /** Folder of a model of gpt-oss's shape. */
  folder: string;
  /** Back end of Joylab's side; by default 'trl'. Unsloth makes no weights: it wants a folder with some. */
  backend?: 'trl' | 'unsloth';
  loadIn4bit: boolean;
  /** transformers' name of how attention is computed. */
  attention: string;
  prompt: string;
  /** Completions of a step, by all processes together. */
  generations: number;
  steps: number;
  /** Of a completion. */
  tokens: number;
  gradientCheckpointing: boolean;
  launch: Launch;
}

/** What was measured. */
export interface Measured {
  /** Of each step. */
  seconds: number[];
  /** Bytes of its GPU's memory that each process used at most, from the second step on; 0 without a GPU. */
  peaks: number[];
}

const scripts = join(packageRoot, 'test', 'bench', 'trl');

/** Runs a script of this folder with the worker's Python. @returns what it prints */
export function python(script: string, args: string[], launcher: string[] = []): string {
  const { status, stdout, stderr } = spawnSync(workerPython(), [...launcher, join(scripts, script), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: environment(),
  });
  if (status !== 0) throw new Error(`${script} failed:\n${stderr.slice(-4000)}`);
  return stdout;
}

/** Starts such a script; its errors are shown. */
export function started(script: string, args: string[]): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(workerPython(), [join(scripts, script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment(),
  });
}

/** Scripts find the worker's package. */
function environment(): NodeJS.ProcessEnv {
  const folder = join(packageRoot, 'kernel', 'engines', 'trl');
  return { ...process.env, PYTHONPATH: [folder, process.env.PYTHONPATH].filter(Boolean).join(':') };
}

/** Makes a folder of a model, without weights or with random ones, and removes it when `use` is done. */
export async function withShape<T>(
  size: string,
  use: (folder: string) => Promise<T>,
  { hasWeights = false } = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-gpt-oss-'));
  try {
    python('make_model.py', [folder, size, ...(hasWeights ? ['--weights'] : [])]);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes a configuration of accelerate. @returns its path */
export function accelerateConfig(folder: string, { processes, isSharded }: Launch): string {
  const path = join(folder, `${isSharded ? 'fsdp' : 'ddp'}-${processes}.yaml`);
  const isOnGpu = hasGpu();
  const sharding = `fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_transformer_layer_cls_to_wrap: GptOssDecoderLayer
  fsdp_reshard_after_forward: true
  fsdp_cpu_ram_efficient_loading: false
  fsdp_state_dict_type: FULL_STATE_DICT
`;
  writeFileSync(
    path,
    `compute_environment: LOCAL_MACHINE
distributed_type: ${isSharded ? 'FSDP' : 'MULTI_GPU'}
num_machines: 1
machine_rank: 0
num_processes: ${processes}
mixed_precision: ${isOnGpu ? 'bf16' : "'no'"}
use_cpu: ${!isOnGpu}
${isSharded ? sharding : ''}`,
  );
  return path;
}

let known: boolean | undefined;

/** Whether the worker's Python finds a GPU. */
export function hasGpu(): boolean {
  const script = 'import sys, torch; sys.exit(not torch.accelerator.is_available())';
  return (known ??= spawnSync(workerPython(), ['-c', script]).status === 0);
}

/** What a launch is called in a table. */
export function called({ processes, isSharded }: Launch): string {
  return processes === 1 ? '1' : `${processes}, ${isSharded ? 'FSDP' : 'DDP'}`;
}
