import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { gpuFolder } from '../../common/gpuFolder';
import { environmentPython } from '../../common/packagePaths';
import { checkPython, REQUIREMENTS } from './check';
import { makeEnvironment } from './environment';

const USAGE =
  'joylab setup gpu [--unsloth] [--check] [--torch-index NAME], where NAME is one of PyTorch’s (cu130, rocm6.4, cpu) or an address';

/** GB that are needed on the disk while it is made, and what is said of it before. */
const SIZES = {
  cpu: { gigabytes: 2.5, text: '0.4 GB to download and 1.6 GB on the disk, a minute or a few' },
  gpu: { gigabytes: 9, text: 'about 3 GB to download and 6 GB on the disk, a few minutes to half an hour' },
};

/** `joylab setup gpu`: makes and checks the Python environment in which PyTorch and TRL train. */
export async function setupCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { unsloth: { type: 'boolean' }, check: { type: 'boolean' }, 'torch-index': { type: 'string' } },
  });
  if (positionals.length !== 1 || positionals[0] !== 'gpu') throw new Error(`usage: ${USAGE}`);
  const { unsloth = false, check, 'torch-index': torchIndex } = values;
  if (check && torchIndex) throw new Error('--check installs nothing: leave out --torch-index');
  if (check) return (await checkPython(existing(), { unsloth })) ? 0 : 1;
  return make(unsloth, torchIndex);
}

async function make(unsloth: boolean, torchIndex: string | undefined): Promise<number> {
  const folder = gpuFolder();
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const gpu = visibleGpu();
  if (gpu === 'AMD' && !torchIndex)
    throw new Error(
      'this machine has an AMD GPU, and the usual PyTorch is for NVIDIA: give --torch-index rocm6.4, or the name for your ROCm (pytorch.org/get-started has them)',
    );
  const size = torchIndex === 'cpu' || process.platform !== 'linux' ? SIZES.cpu : SIZES.gpu;
  await checkRoom(dirname(folder), size.gigabytes);
  say(
    `A Python environment for ${unsloth ? 'Unsloth' : 'TRL'} in ${folder}: ${size.text}${unsloth ? '; Unsloth takes more' : ''}.`,
  );
  if (!gpu && size === SIZES.gpu) say('This machine shows no GPU: --torch-index cpu downloads 0.4 GB alone.');
  const there = existsSync(folder);
  const { passed, inPlace } = await makeEnvironment({
    folder,
    requirements: unsloth ? REQUIREMENTS.unsloth : REQUIREMENTS.trl,
    torchIndex,
    passes: (python) => checkPython(python, { unsloth }),
  });
  if (!inPlace) say(`The environment that was in ${folder} stays as it is.`);
  else if (there) say('It takes the place of the one before; restart the kernels that train with that.');
  const named = process.env.JOYLAB_GPU_PYTHON;
  if (named) say(`JOYLAB_GPU_PYTHON is ${named}, which notebooks use instead: unset it to use this one.`);
  return passed ? 0 : 1;
}

/** Whose GPU the machine shows before any PyTorch is there. */
function visibleGpu(): 'NVIDIA' | 'AMD' | null {
  if (spawnSync('nvidia-smi', ['-L'], { encoding: 'utf8' }).stdout?.includes('GPU 0')) return 'NVIDIA';
  return existsSync('/dev/kfd') ? 'AMD' : null;
}

/** The Python that notebooks use. */
function existing(): string {
  const named = process.env.JOYLAB_GPU_PYTHON;
  const python = named || environmentPython(gpuFolder());
  if (existsSync(python)) return python;
  throw new Error(
    named
      ? `JOYLAB_GPU_PYTHON is ${named}, where there is nothing: let it name the interpreter of a Python environment`
      : 'there is no environment to check yet: `joylab setup gpu` makes it, or let JOYLAB_GPU_PYTHON name a Python that has PyTorch and TRL',
  );
}

async function checkRoom(folder: string, gigabytes: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  // Some network drives say 0.
  if (free > 0 && free < gigabytes * 1e9)
    throw new Error(
      `${gigabytes} GB are needed in ${folder} and ${(free / 1e9).toFixed(1)} are free: free some space, or let JUPYTER_DATA_DIR name a folder on another disk`,
    );
}
