/** What the build takes from the kernel's sources and the Atari notebook; see build.mjs. */
declare module '*/template.json' {
  /** A game, and the names of its state variables: none where strategies see the memory alone. */
  export interface Game {
    name: string;
    /** As people write it: "Space Invaders". */
    title: string;
    state: string[];
  }
  const template: {
    /** The games with named state first. */
    games: Game[];
    /** The notebook for a game, as JSON, with `{{name}}` and `{{title}}` in place of the game's. */
    notebook: string;
  };
  export default template;
}
