import Module from 'node:module';
import type { Executor } from 'tslab/dist/executor';
import { cellContext, type MimeBundle } from '../../display/cellContext';
import { typescript } from '../compile/typescript';
import { replace, type Undo } from './replace';

/*
 * All that the kernel uses of tslab, beyond what `import … from 'tslab'` gives to cells.
 */

export type { CompletionInfo, Converter, ConvertResult } from 'tslab/dist/converter';
export type { Executor };
type CreateExecutor = typeof import('tslab/dist/executor').createExecutor;

/** The global `__tslab__`, by which tslab's executor passes the code of cells what it needs. */
export interface TslabGlobal {
  exports: Record<string, unknown>;
  require: NodeRequire;
  cell: unknown;
}

interface DisplayData {
  data: MimeBundle;
  metadata: Record<string, unknown>;
  transient: { display_id?: string };
}

/**
 * Lets tslab use the same compiler as the kernel. Its own is a fork of
 * TypeScript 5.0, which would be a second compiler in memory. Installed before
 * tslab is loaded.
 */
export function shareTypeScript(): Undo {
  return provide('@tslab/typescript-for-tslab', typescript());
}

/**
 * Makes `import { display } from 'tslab'` show its outputs in the running cell.
 * tslab's library calls a function of its Jupyter module, which is replaced
 * as a whole: the original opens a second copy of ZeroMQ.
 */
export function connectDisplay(): Undo {
  const lastWriteDisplayData = ({ data, metadata, transient }: DisplayData, update: boolean): void =>
    cellContext().display(data, { metadata, displayId: transient.display_id, update });
  return provide('tslab/dist/jupyter', { lastWriteDisplayData });
}

/**
 * Makes an executor, after {@link shareTypeScript}, whose cells find `global`
 * in place of tslab's own.
 */
export function createExecutor(
  global: TslabGlobal,
  ...args: Parameters<CreateExecutor>
): { executor: Executor; undo: Undo } {
  const { createExecutor } = require('tslab/dist/executor') as { createExecutor: CreateExecutor };
  const undo = replace(globalThis, { __tslab__: global });
  const executor = createExecutor(...args);
  // The executor has put its own there.
  Object.assign(globalThis, { __tslab__: global });
  return { executor, undo };
}

/** Says whether a code is complete, as tslab's console sees it. */
export function isCompleteCode(code: string): { completed: boolean; indent?: string } {
  return (require('tslab/dist/converter') as typeof import('tslab/dist/converter')).isCompleteCode(code);
}

/** Puts a module in the place of another, for all that load it from now on. */
function provide(name: string, exports: unknown): Undo {
  const path = require.resolve(name);
  const module = new Module(path);
  module.filename = path;
  module.loaded = true;
  module.exports = exports;
  return replace(require.cache, { [path]: module });
}
