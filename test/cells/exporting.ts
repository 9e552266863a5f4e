import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildRoot } from '../../kernel/common/packagePaths';

/** A code cell: its text, and its tags where it has any. */
export type Cell = string | { source: string; tags: string[] };

/** Writes a notebook of code cells. @returns its path */
export function writeNotebook(cells: readonly Cell[], folder: string): string {
  const file = join(folder, 'notebook.ipynb');
  const code = cells.map((cell) => {
    const { source, tags } = typeof cell === 'string' ? { source: cell, tags: [] } : cell;
    return {
      cell_type: 'code',
      source: source.split(/(?<=\n)/),
      metadata: { tags },
      outputs: [],
      execution_count: null,
    };
  });
  const text = { cell_type: 'markdown', source: 'Some *text*', metadata: {} };
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [text, ...code] }));
  return file;
}

/** Runs a command of Joylab. */
export function joylab(args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(buildRoot, 'kernel', 'cli.js'), ...args], { encoding: 'utf8' });
}

/** Exports a notebook of these cells into a folder. @returns what the command said */
export function exportNotebook(cells: readonly Cell[], output: string, folder: string, to = 'trl'): string {
  const { status, stderr } = joylab(['export', writeNotebook(cells, folder), '--to', to, '-o', output]);
  assert.equal(status, 0, stderr);
  return stderr;
}
