import type { CellCompiler } from '../compile/compiler';
import { installGlobals } from '../globals';
import { installGuards } from '../interrupt/interrupts';
import type { LocalModules } from '../modules/localModules';
import { captureChildren } from './children/childProcess';
import { markThreads } from './children/threads';
import { askByFiles } from './input/files';
import { askByReadline } from './input/readline';
import { provideStdin } from './input/stdin';
import { displayConsole } from './language/console';
import { hideNames } from './language/functionText';
import { printPromisesPlainly, printTimersPlainly } from './language/printing';
import { waitInSlices } from './language/sleep';
import { installStackTraces } from './language/stackTraces';
import { installExtensions } from './modules/extensions';
import { installResolution } from './modules/resolution';
import { keepKernelAlive } from './process/exit';
import { keepListeners, listenToErrors } from './process/listeners';
import { leaveSigint } from './process/sigint';
import { captureStreams } from './process/streams';
import { omitWarnings } from './process/warnings';
import { all, type Undo } from './replace';
import { connectDisplay, shareTypeScript } from './tslab';

/*
 * All that the kernel changes in the process that it shares with the code of
 * cells: Node.js, the language and tslab. A next version of one of them breaks
 * something here first; versions.ts says which were tried. What the kernel
 * uses of TypeScript's internals, which changes nothing for others, is in
 * typescript.ts.
 */

/** Something that is replaced in the process. */
export interface Patch<Parts> {
  /** The properties that it replaces. */
  readonly name: string;
  /** Replaces it; returns what takes the patch back. */
  install(parts: Parts): Undo;
}

/** In the order in which they are installed, before there is a session. */
export const PROCESS_PATCHES: ReadonlyArray<Patch<Int32Array>> = [
  // The thread that waits for SIGINT gets it, whoever listens.
  { name: "process.on('SIGINT')", install: leaveSigint },
  // tslab uses the kernel's TypeScript, and displays through the kernel.
  { name: 'require.cache of @tslab/typescript-for-tslab', install: shareTypeScript },
  { name: 'require.cache of tslab/dist/jupyter', install: connectDisplay },
  // An interrupt ends code that computes, and code that sleeps.
  { name: 'the global of guarded code', install: installGuards },
  { name: 'Atomics.wait', install: waitInSlices },
  // The user sees what they wrote, not what runs, nor what Node.js keeps in its objects.
  { name: 'Function.prototype.toString', install: hideNames },
  { name: 'inspect of promises', install: printPromisesPlainly },
  { name: 'inspect of timers', install: printTimersPlainly },
  { name: 'process.emitWarning', install: omitWarnings },
  // What a cell prints goes to the cell, what it asks to the front end.
  { name: 'process.stdout, process.stderr', install: captureStreams },
  { name: 'console.clear, console.table', install: displayConsole },
  { name: 'prompt, promptSecret, confirm, page', install: installGlobals },
  { name: 'process.stdin', install: provideStdin },
  { name: 'node:readline', install: askByReadline },
  { name: 'node:fs', install: () => askByFiles(() => process.stdin) },
  // Children print to their cell, are interrupted with it and end with the kernel; so do those of threads.
  { name: 'node:child_process', install: captureChildren },
  { name: 'node:worker_threads', install: markThreads },
  // What ends a process ends the cell.
  { name: 'process.exit, abort, kill, emit', install: keepKernelAlive },
];

/** The parts of a session that patches need. */
export interface SessionParts {
  compiler: CellCompiler;
  modules: LocalModules;
  /** The notebook's folder. */
  folder: string;
  packageRoot: string;
  /** Shows an error that no code caught. */
  reportUncaught(error: unknown): void;
}

/** In the order in which they are installed, for a session. */
export const SESSION_PATCHES: ReadonlyArray<Patch<SessionParts>> = [
  // Cells import the kernel's own joylab and tslab, and the user's TypeScript.
  {
    name: 'Module._resolveFilename',
    install: ({ packageRoot, modules }) => installResolution(packageRoot, modules.isVirtual),
  },
  { name: 'Module._extensions', install: ({ modules }) => installExtensions(modules) },
  // Errors speak of cells and of the user's files, and none of them ends the kernel.
  {
    name: 'Error.prepareStackTrace',
    install: ({ compiler, modules, folder }) => installStackTraces(compiler, modules, folder),
  },
  { name: "process.on('uncaughtException')", install: ({ reportUncaught }) => listenToErrors(reportUncaught) },
  // The last: it keeps the listeners that are there.
  { name: 'process.off, removeListener, removeAllListeners', install: keepListeners },
];

/** Installs patches in their order; returns what takes them back. */
export function installPatches<Parts>(patches: ReadonlyArray<Patch<Parts>>, parts: Parts): Undo {
  return all(patches.map(({ install }) => install(parts)));
}
