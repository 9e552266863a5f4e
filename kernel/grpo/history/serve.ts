import { ROLLOUTS_COMM } from '../../display/rollouts';
import type { Comm } from '../../display/cellContext';

/** Opens comms for views: the kernel's. */
interface CommTargets {
  registerTarget(target: string, onOpen: (comm: Comm, data: any) => void): void;
}

/** Answers views that read kept rollouts: see {@link ROLLOUTS_COMM}. */
export function serveRollouts(comms: CommTargets): void {
  comms.registerTarget(ROLLOUTS_COMM, (comm, data) => {
    // The start of a kernel does not wait for what only views need.
    const { RolloutsSession } = require('./viewSession') as typeof import('./viewSession');
    new RolloutsSession(comm, String(data?.database));
  });
}
