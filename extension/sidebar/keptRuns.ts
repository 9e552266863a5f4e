import type { Kernel } from '@jupyterlab/services';
import { ROLLOUTS_COMM, type RolloutsAnswer, type RunSummary } from '../../kernel/display/rollouts';

/** Returns the runs of a file of rollouts, the newest first, as a notebook's kernel reads it; none where there is no such file. */
export function keptRuns(kernel: Kernel.IKernelConnection, database: string): Promise<RunSummary[]> {
  if (!kernel.handleComms) return Promise.resolve([]);
  const comm = kernel.createComm(ROLLOUTS_COMM);
  return new Promise((resolve) => {
    comm.onMsg = ({ content }) => {
      const answer = content.data as unknown as RolloutsAnswer;
      resolve('error' in answer ? [] : (answer.result as RunSummary[]));
      comm.close();
    };
    comm.onClose = () => resolve([]);
    comm.open({ database });
    comm.send({ id: 1, method: 'runs' });
  });
}
