import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDebugger, IDebuggerHandler } from '@jupyterlab/debugger';
import { Signal } from '@lumino/signaling';

/**
 * Checks whether a kernel has a debugger before its modules are listed. JupyterLab 4.6
 * lists them after every cell without this check: where there is no debugger, each
 * cell logs "No active debugger session" in the browser's console.
 */
export const modulesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:modules',
  description: 'Keeps the debugger quiet for kernels that have none.',
  autoStart: true,
  optional: [IDebugger, IDebuggerHandler],
  activate(_app: JupyterFrontEnd, service: IDebugger | null, handler: IDebuggerHandler | null): void {
    if (!service || !handler?.executionDone) return;
    Signal.disconnectSender(handler);
    handler.executionDone.connect(() => {
      if (service.session) void service.displayModules();
    });
  },
};
