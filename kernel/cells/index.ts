import { inKernel, keepIntrinsics } from '../common/intrinsics';
import { setHost } from '../display/host';
import type { CommOpener, Interpreter } from '../jupyter/interpreter';
import { packageRoot } from '../setup/python';
import { captureChildren } from './children';
import { captureStreams } from './console';
import { keepKernelAlive, keepListeners } from './exit';
import { keepCompiledTypeScript, shareTypeScript } from './compile/typescript';
import { KernelHost } from './host';
import { installInput } from './input';
import { installGuards } from './interrupt';
import { installGlobals } from './globals';
import { printPromisesPlainly, printTimersPlainly } from './printing';
import { Session } from './session';
import { connectTslabDisplay } from './tslabDisplay';

/** Milliseconds after the start in which a first cell finds the thread free. */
const QUIET = 3000;

export interface InterpreterOptions {
  comms: CommOpener;
  /** Shared with the thread that receives interrupts: see `WireOptions` of jupyter/protocol.ts. */
  interruptFlag: Int32Array;
  /** The notebook's folder: packages and files are found from here. */
  folder: string;
}

/**
 * Makes the interpreter of a kernel, once in a process: from here on, what
 * the process prints goes to cells, and `joylab` displays in them.
 */
export function createInterpreter({ comms, interruptFlag, folder }: InterpreterOptions): Interpreter {
  shareTypeScript();
  installGuards(interruptFlag);
  connectTslabDisplay();
  installGlobals();
  printPromisesPlainly();
  printTimersPlainly();
  setHost(new KernelHost(comms));
  captureStreams();
  captureChildren();
  installInput();
  keepKernelAlive();
  const session = new Session({ folder, packageRoot }, interruptFlag);
  process.on('uncaughtException', (error) => session.reportUncaught(error));
  process.on('unhandledRejection', (reason) => session.reportUncaught(reason));
  session.serveDiagnostics(comms);
  session.warmUp();
  setTimeout(() => inKernel(keepCompiledTypeScript), QUIET).unref();
  keepListeners();
  keepIntrinsics();
  return session;
}
