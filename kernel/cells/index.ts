import { inKernel, keepIntrinsics } from '../common/intrinsics';
import { serveRollouts } from '../grpo/history/serve';
import { setCellContext } from '../display/cellContext';
import { serveWidgets } from '../display/widgets/control';
import { recordPlaysWith } from '../environments/play/recorder';
import type { CommOpener, Interpreter } from '../jupyter/interpreter';
import { packageRoot } from '../common/packagePaths';
import { keepCompiledTypeScript } from './compile/typescript';
import { KernelContext } from './kernelContext';
import { installPatches, PROCESS_PATCHES, SESSION_PATCHES } from './patches';
import { withoutOptimizer } from './patches/language/optimizer';
import { Session } from './session';

export { untriedVersions } from './patches/versions';

/** Milliseconds after the start in which the thread is left to a first cell. */
const QUIET = 3000;

/** Options of {@link createInterpreter}. */
export interface InterpreterOptions {
  /** Opens comms, and takes handlers for those that the front end opens. */
  comms: CommOpener;
  /** Memory that is shared with the wire thread: see jupyter/interrupt/flag.ts. */
  interruptFlag: Int32Array;
  /** The notebook's folder: packages and files are found from here. */
  folder: string;
}

/**
 * Creates the interpreter of a kernel. Until it is closed, what the process
 * prints goes to cells, and `joylab` displays in them: see patches/index.ts.
 */
export function createInterpreter({ comms, interruptFlag, folder }: InterpreterOptions): Interpreter {
  const takeBack = installPatches(PROCESS_PATCHES, interruptFlag);
  setCellContext(new KernelContext(comms));
  // Loaded when somebody has played: most notebooks never need it.
  recordPlaysWith(async (environment, play) => {
    const { recordPlayed } = await import('../grpo/shown/playedEpisode.js');
    return recordPlayed(environment as unknown as Parameters<typeof recordPlayed>[0], play);
  });
  const session = new Session({ folder, packageRoot }, interruptFlag);
  session.onClose(takeBack);
  const reportUncaught = (error: unknown): void => session.reportUncaught(error);
  session.onClose(installPatches(SESSION_PATCHES, { ...session.parts, folder, packageRoot, reportUncaught }));
  session.serveDiagnostics(comms);
  session.serveOverview(comms);
  serveRollouts(comms);
  serveWidgets(comms);
  withoutOptimizer(() => session.warmUp());
  setTimeout(() => inKernel(keepCompiledTypeScript), QUIET).unref();
  keepIntrinsics();
  return session;
}
