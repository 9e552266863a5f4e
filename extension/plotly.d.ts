/** The part of plotly.js that is used here. */
declare module 'plotly.js-basic-dist-min' {
  export interface Trace {
    x: number[];
    y: Array<number | null>;
    name?: string;
    [option: string]: unknown;
  }
  export type Layout = Record<string, unknown>;
  /** A node with a plot in it. */
  export interface PlotNode extends HTMLElement {
    on(event: string, listener: (event: any) => void): void;
  }
  export interface Plotly {
    react(node: HTMLElement, traces: Trace[], layout: Layout, config?: Record<string, unknown>): Promise<PlotNode>;
    purge(node: HTMLElement): void;
    toImage(
      figure: { data: Trace[]; layout: Layout; config?: Record<string, unknown> },
      options: { format: 'png' | 'svg'; width: number; height: number; scale?: number },
    ): Promise<string>;
  }
  const plotly: Plotly;
  export default plotly;
}
