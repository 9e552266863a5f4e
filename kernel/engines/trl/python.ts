import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environmentPython, pythonPath } from '../../setup/python';

/** What a Python can train with, as it says itself. */
export interface PythonReport {
  python: string;
  /** Versions of torch, transformers, peft, trl, accelerate, unsloth, bitsandbytes, vllm; what is missing is left out. */
  versions: Partial<Record<string, string>>;
  /** PyTorch's accelerators, empty where there is none that it can use. */
  devices: Array<{ name: string; type: string; gib: number }>;
  /** Why PyTorch uses no accelerator, where it says so. */
  problem?: string;
}

/** Where `joylab setup gpu` makes its Python environment: a folder of the user's, beside no checkout and no cache. */
export function gpuEnvironment(): string {
  const data =
    process.env.XDG_DATA_HOME ||
    (process.platform === 'win32' ? process.env.LOCALAPPDATA : undefined) ||
    join(homedir(), '.local', 'share');
  return join(data, 'joylab', 'gpu');
}

/** The Python that was made or named for GPUs: `$JOYLAB_GPU_PYTHON`, or that of {@link gpuEnvironment}; null where there is none. */
export function gpuPython(): string | null {
  const named = process.env.JOYLAB_GPU_PYTHON;
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`$JOYLAB_GPU_PYTHON names ${named}, where there is no Python.`);
  }
  const own = environmentPython(gpuEnvironment());
  return existsSync(own) ? own : null;
}

/**
 * The Python of a worker: that for GPUs, else Joylab's own where it has TRL.
 *
 * @throws where neither has what is needed, with the command that makes one
 */
export async function workerPython(backend: 'trl' | 'unsloth', signal?: AbortSignal): Promise<PythonReport> {
  const python = gpuPython() ?? pythonPath();
  const report = await examine(python, signal);
  const needed = ['torch', 'transformers', 'peft', 'trl', ...(backend === 'unsloth' ? ['unsloth'] : [])];
  const missing = needed.filter((name) => !report.versions[name]);
  if (missing.length === 0) return report;
  throw new Error(
    `backend: '${backend}' needs ${missing.join(', ')} in ${python}. \`joylab setup gpu${backend === 'unsloth' ? ' --unsloth' : ''}\` ` +
      'makes a Python environment that has it all; $JOYLAB_GPU_PYTHON names one that you have.',
  );
}

const QUESTION = `
import importlib.metadata as m, json
versions = {}
for name in "torch transformers peft trl accelerate datasets unsloth bitsandbytes vllm".split():
    try: versions[name] = m.version(name)
    except m.PackageNotFoundError: pass
devices, problem = [], None
if "torch" in versions:
    import torch, warnings
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        if torch.accelerator.is_available():
            kind = torch.accelerator.current_accelerator().type
            module = getattr(torch, kind)
            for i in range(torch.accelerator.device_count()):
                try: gib = module.mem_get_info(i)[1] / 2**30
                except Exception: gib = 0
                name = module.get_device_name(i) if hasattr(module, "get_device_name") else kind
                devices.append({"name": name, "type": kind, "gib": round(gib, 1)})
    if not devices and warned: problem = str(warned[0].message).strip()
print(json.dumps({"versions": versions, "devices": devices, "problem": problem}))
`;

const reports = new Map<string, Promise<PythonReport>>();

/** Asks a Python what it can train with; once for each, as importing PyTorch takes seconds. */
export function examine(python: string, signal?: AbortSignal): Promise<PythonReport> {
  const known = reports.get(python);
  if (known) return known;
  const asked = ask(python, signal);
  reports.set(python, asked);
  asked.catch(() => reports.delete(python));
  return asked;
}

async function ask(python: string, signal?: AbortSignal): Promise<PythonReport> {
  try {
    const { stdout } = await promisify(execFile)(python, ['-c', QUESTION], { signal, maxBuffer: 2 ** 20 });
    const { problem, ...report } = JSON.parse(stdout.trim().split('\n').at(-1)!);
    return { python, ...report, ...(problem && { problem }) };
  } catch (error) {
    signal?.throwIfAborted();
    const said = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split('\n')
      .slice(-3)
      .join('\n');
    throw new Error(`${python} cannot import what a worker needs:\n${said}`, { cause: error });
  }
}
