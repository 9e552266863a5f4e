import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDebugger, IDebuggerHandler } from '@jupyterlab/debugger';
import { Signal } from '@lumino/signaling';

/**
 * JupyterLab 4.6 lists a kernel's modules in the debugger after every cell,
 * without asking whether the kernel has a debugger: where it has none, each
 * cell leaves "No active debugger session" in the browser's console. This
 * asks first.
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
