/** The part of JupyterLab's debugger that is used here. The package itself is not needed, since JupyterLab provides it. */
declare module '@jupyterlab/debugger' {
  import type { Token } from '@lumino/coreutils';
  import type { ISignal } from '@lumino/signaling';

  export interface IDebugger {
    readonly session: object | null;
    displayModules(): Promise<void>;
  }
  export const IDebugger: Token<IDebugger>;
  export interface IDebuggerHandler {
    readonly executionDone: ISignal<IDebuggerHandler, void>;
  }
  export const IDebuggerHandler: Token<IDebuggerHandler>;
}
