/** The part of JupyterLab's launcher that is used here. The package itself is not needed, since JupyterLab provides it. */
declare module '@jupyterlab/launcher' {
  import type { Token } from '@lumino/coreutils';

  export interface ILauncher {
    add(item: { command: string; category: string; rank?: number; kernelIconUrl?: string }): unknown;
  }
  export const ILauncher: Token<ILauncher>;
}
