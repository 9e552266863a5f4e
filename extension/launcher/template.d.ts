/** What the build takes from the kernel's sources and the Atari notebook; see build.mjs. */
declare module '*/template.json' {
  /** A game, and the names of its state variables: none where strategies see the memory alone. */
  export interface Game {
    name: string;
    state: string[];
  }
  const template: {
    /** The games with named state first. */
    games: Game[];
    /** `notebooks/atari.ipynb` without outputs. */
    notebook: {
      cells: Array<{ source: string[]; cell_type: string; [field: string]: unknown }>;
      [field: string]: unknown;
    };
  };
  export default template;
}
