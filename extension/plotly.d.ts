/** The part of plotly.js that is used here. */
declare module 'plotly.js-basic-dist-min' {
  export interface Trace {
    x: number[];
    y: Array<number | null>;
    name?: string;
    [option: string]: unknown;
  }
  export type Layout = Record<string, unknown>;
  export interface Plotly {
    react(node: HTMLElement, traces: Trace[], layout: Layout, config?: Record<string, unknown>): Promise<HTMLElement>;
    purge(node: HTMLElement): void;
    Plots: { resize(node: HTMLElement): Promise<void> };
  }
  const plotly: Plotly;
  export default plotly;
}
