import { parseArgs } from 'node:util';
import type { WeightType } from '../checkpoint/safetensors';

const USAGE = 'joylab gguf folder FILE FOLDER [--dtype TYPE], or joylab gguf install';

/** Runs `joylab gguf`: writes a GGUF file as a folder that can be trained, or installs llama.cpp. Resolves to the exit code. */
export async function ggufCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { dtype: { type: 'string' } },
  });
  const [what, ...rest] = positionals;
  if (what === 'install' && rest.length === 0) {
    const { llamaPackage } = await import('./install.js');
    process.stdout.write(`${await llamaPackage()}\n`);
    return 0;
  }
  if (what !== 'folder' || rest.length !== 2) throw new Error(`usage: ${USAGE}`);
  const { ggufToFolder } = await import('./toFolder.js');
  await ggufToFolder(rest[0], rest[1], { dtype: values.dtype as WeightType | undefined });
  process.stdout.write(`${rest[1]}\n`);
  return 0;
}
