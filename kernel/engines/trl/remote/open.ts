import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { raceAbort } from '../../../common/raceAbort';
import type { SshAddress } from '../../../common/sshAddress';
import { cellContext } from '../../../display/cellContext';
import { withStages } from '../../../display/progress/stages';
import { workerProgram } from '../launch';
import type { Message } from '../protocol';
import { Worker } from '../worker';

/** A model on another machine. */
export interface FoundThere {
  /** Its folder there. */
  there: string;
  modelName: string;
  /** Folder of this machine with its settings and tokenizer, or all of an adapter. */
  folder: string;
  isAdapter: boolean;
}

/** What is looked for: a folder there, or a model of the hub. */
export interface Wanted {
  modelName: string;
  revision?: string;
  token?: string;
}

/** Finds a model on another machine, which downloads it where it is the hub's, and brings here what is read here. */
export function findThere(ssh: SshAddress, wanted: Wanted): Promise<FoundThere> {
  const { signal } = cellContext();
  const folder = placeOf([ssh, wanted.modelName, wanted.revision]);
  return withStages(`Connecting to ${ssh.host}`, async (say) => {
    const launch = { numProcesses: 1, configFile: null, ssh };
    const worker = await Worker.start({ ...workerProgram(launch, ssh), signal });
    try {
      const listener = { message: ({ text }: Message) => say(String(text)) };
      const command = worker.channel.command('find', { ...wanted, folder }, { listener });
      const { there, isAdapter } = await raceAbort(command, signal);
      return { there: String(there), modelName: wanted.modelName, folder, isAdapter: isAdapter === true };
    } finally {
      await worker.close();
    }
  });
}

let kept: string | null = null;

/** A folder for what is found, which is empty, and the same for the same model. */
function placeOf(wanted: unknown): string {
  if (kept === null) {
    const made = mkdtempSync(join(tmpdir(), 'joylab-found-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    kept = made;
  }
  const folder = join(kept, createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 16));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return folder;
}
