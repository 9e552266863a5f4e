import { OVERVIEW_COMM } from '../../display/overview';
import type { CommOpener } from '../../jupyter/interpreter';
import type { Variables } from '../variables';

/** Answers side panels that show a notebook's environments, reward functions and runs: see {@link OVERVIEW_COMM}. */
export function serveOverview(comms: CommOpener, variables: Variables): void {
  comms.registerTarget(OVERVIEW_COMM, (comm) => {
    // The start of a kernel does not wait for what only panels need.
    const { OverviewSession } = require('./session') as typeof import('./session');
    new OverviewSession(comm, variables);
  });
}
