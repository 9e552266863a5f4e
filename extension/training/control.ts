import { Notification, type ISessionContext } from '@jupyterlab/apputils';
import type { TrainingControl } from '../../kernel/display/mime';
import { TrainingConnection } from './connection';

/** Asks the kernel to pause, stop or save a run, and tells where it does not know it. */
export function controlRun(session: ISessionContext, runId: string, control: TrainingControl): void {
  let asked = false;
  const connection = new TrainingConnection(session, runId, {
    message: () => undefined,
    away: () => undefined,
    connected: (connected) => {
      if (asked) return;
      asked = true;
      if (connected) connection.control(control);
      else Notification.info('The kernel does not know this run any more: run its cell to train again.');
      connection.dispose();
    },
  });
}
