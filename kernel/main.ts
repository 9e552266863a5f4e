import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { processEnd } from './cells/patches/process/end';
import { readConnection } from './jupyter/connection';
import type { Kernel } from './jupyter/kernel';
import { kernelInfo } from './jupyter/kernelInfo';
import { KERNEL_MARK } from './jupyter/kernelMark';
import { WireThread } from './jupyter/wireThread';
import { userDataFolder } from './common/jupyterFolder';

/**
 * Starts a kernel: Jupyter's protocol (`jupyter/`), which runs cells
 * (`cells/`). Resolves when it listens for requests. The process then lives
 * until it is shut down or its parent process ends.
 */
export async function startKernel(connectionFile: string): Promise<void> {
  const connection = readConnection(connectionFile);
  process.env[KERNEL_MARK] = randomUUID();
  const wire = new WireThread({ connection, connectionFile, historyFile: historyFile(), kernelInfo: kernelInfo() });
  const end = processEnd();
  await wire.connect(loadKernel(wire), (code) => {
    wire.close();
    end(code);
  });
}

/** `joylab export`: cells as a program outside of notebooks. */
export async function exportCommand(args: string[]): Promise<number> {
  const command = await import('./cells/export/command.js');
  return command.exportCommand(args);
}

/** `joylab serve NOTEBOOK`: a class of a notebook and all that it names, as a module that exports it. */
export async function readServedClass(path: string, name: string | undefined): Promise<string> {
  const [{ readCells }, { servedModule }] = await Promise.all([
    import('./cells/export/cells.js'),
    import('./cells/export/program.js'),
  ]);
  return servedModule(readCells(path), path, name);
}

/** Loads the code that runs cells, while the wire thread opens the sockets. */
async function loadKernel({ outbox, interruptFlag }: WireThread): Promise<Kernel> {
  const { Kernel } = await import('./jupyter/kernel.js');
  const { createInterpreter, untriedVersions } = await import('./cells/index.js');
  for (const text of untriedVersions()) writeSync(2, `joylab: ${text}\n`);
  return new Kernel(outbox, (comms) => createInterpreter({ comms, interruptFlag, folder: process.cwd() }));
}

/** Returns `$JOYLAB_HISTORY`, which is empty to keep no inputs, else a file in the user's Jupyter data folder. */
function historyFile(): string {
  return process.env.JOYLAB_HISTORY ?? join(userDataFolder(), 'joylab', 'history.jsonl');
}
