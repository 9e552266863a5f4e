import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { INDEX, shardNames } from '../checkpoint/weightFiles';

/** Files that a model or an adapter may consist of, besides its weights. */
export const SMALL_FILES = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'adapter_config.json',
  INDEX,
];

/**
 * A model in the hub's cache, in the layout of all the hub's clients: `blobs` by their
 * hash, `snapshots/<commit>` with links to them, `.no_exist/<commit>` with the names
 * of files that the model does not have, and `refs/<revision>` with the commit that a
 * branch or tag was last seen at.
 */
export class CachedModel {
  private readonly folder: string;

  constructor(cache: string, name: string) {
    this.folder = join(cache, `models--${name.replaceAll('/', '--')}`);
  }

  blob(hash: string): string {
    return join(this.folder, 'blobs', hash);
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** Returns the commit of a revision as last seen, or null. */
  commitOf(revision: string): string | null {
    if (isCommit(revision)) return revision;
    const file = join(this.folder, 'refs', revision);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  }

  /** Remembers the commit of a branch or tag. */
  setCommit(revision: string, commit: string): void {
    if (isCommit(revision) || this.commitOf(revision) === commit) return;
    const file = join(this.folder, 'refs', revision);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, commit);
  }

  /**
   * Returns small files that are missing in a snapshot although the model may have them:
   * another client did not download them, or was interrupted.
   */
  unknownFiles(commit: string): string[] {
    return SMALL_FILES.filter(
      (name) => !existsSync(join(this.snapshot(commit), name)) && !existsSync(this.absence(commit, name)),
    );
  }

  /** Remembers that a model does not have these files. */
  setAbsent(commit: string, names: readonly string[]): void {
    try {
      for (const name of names) {
        const file = this.absence(commit, name);
        if (existsSync(file)) continue;
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, '');
      }
    } catch {
      // A cache that may only be read: the hub is asked again the next time.
    }
  }

  private absence(commit: string, name: string): string {
    return join(this.folder, '.no_exist', commit, name);
  }

  /** Links a blob as a file of a snapshot. */
  link(commit: string, path: string, hash: string): void {
    const file = join(this.snapshot(commit), path);
    if (existsSync(file)) return;
    mkdirSync(dirname(file), { recursive: true });
    const blob = this.blob(hash);
    try {
      symlinkSync(relative(dirname(file), blob), file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process was quicker; or Windows, which may not allow links.
      if (code !== 'EEXIST') copyFileSync(blob, file);
    }
  }
}

/** Returns whether a folder has the files that a model or an adapter cannot do without. */
export function isComplete(folder: string): boolean {
  if (existsSync(join(folder, 'adapter_config.json'))) return existsSync(join(folder, 'adapter_model.safetensors'));
  if (!existsSync(join(folder, 'config.json')) || !existsSync(join(folder, 'tokenizer.json'))) return false;
  return (
    existsSync(join(folder, 'model.safetensors')) ||
    (existsSync(join(folder, INDEX)) && shardNames(folder).every((name) => existsSync(join(folder, name))))
  );
}

/** Returns whether a revision is a commit, which never changes. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
