import { existsSync } from 'node:fs';
import { posix } from 'node:path';

const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** Returns the names of all files of a model, by the name of any of them. */
export function partNames(name: string): string[] {
  const match = PART.exec(name);
  if (!match) return [name];
  const [, stem, , of] = match;
  return Array.from({ length: Number(of) }, (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${of}.gguf`);
}

/** Returns the paths of all files of a model, by the path of any of them. Throws when one is missing. */
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

/** Returns one name for each GGUF model among the names of a folder's files. */
export function ggufFiles(names: readonly string[]): string[] {
  const files = names.filter((name) => posix.extname(name) === '.gguf');
  return [...new Set(files.map((name) => partNames(name)[0]))];
}
