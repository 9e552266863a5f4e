import { syncBuiltinESMExports } from 'node:module';
import { join, sep } from 'node:path';
import * as threads from 'node:worker_threads';
import { buildRoot } from '../../../common/packagePaths';
import { currentCell } from '../../cell';
import { replace, type Undo } from '../replace';

/** The file that a thread of a cell loads first. */
const PRELOAD = join(__dirname, 'threadPreload.js');

/**
 * Lets threads that cells start know about the children that outlive the
 * kernel: a thread has a `node:child_process` of its own.
 */
export function markThreads(): Undo {
  const { Worker } = threads;
  class CellWorker extends Worker {
    constructor(file: string | URL, options: threads.WorkerOptions = {}) {
      const { execArgv = process.execArgv } = options ?? {};
      // Our own threads start none.
      const isTheirs = currentCell() !== null && !String(file).includes(buildRoot + sep);
      super(
        file,
        isTheirs && Array.isArray(execArgv) ? { ...options, execArgv: [...execArgv, '--require', PRELOAD] } : options,
      );
    }
  }
  Object.defineProperty(CellWorker, 'name', { value: 'Worker' });
  const undo = replace(require('node:worker_threads'), { Worker: CellWorker });
  syncBuiltinESMExports();
  return () => {
    undo();
    syncBuiltinESMExports();
  };
}
