import { existsSync } from 'node:fs';
import { posix } from 'node:path';

const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** The name of a file, or of all files of a model that comes in several, whichever of them is named. */
export function partNames(name: string): string[] {
  const match = PART.exec(name);
  if (!match) return [name];
  const [, stem, , of] = match;
  return Array.from({ length: Number(of) }, (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${of}.gguf`);
}

/** The same for files that have to be there. */
export function partsOf(path: string): string[] {
  const parts = partNames(path);
  const missing = parts.find((part) => !existsSync(part));
  if (missing)
    throw new Error(
      parts.length === 1
        ? `there is no file ${missing}`
        : `${missing} is missing: the model comes in ${parts.length} files; fetch all of them`,
    );
  return parts;
}

/** One name for each model among the names of a folder's files. */
export function ggufFiles(names: readonly string[]): string[] {
  const files = names.filter((name) => posix.extname(name) === '.gguf');
  return [...new Set(files.map((name) => partNames(name)[0]))];
}
