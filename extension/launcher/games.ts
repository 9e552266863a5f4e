/** Returns a game's name as people write it: "space_invaders" is "Space Invaders". */
export function titleOf(game: string): string {
  return game
    .split('_')
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join(' ');
}

/** Returns whether a game is meant by what was typed: all of its words are in its name, in any order. */
export function isMeant(game: string, typed: string): boolean {
  const words = typed.toLowerCase().split(/[\s_]+/);
  return words.every((word) => game.includes(word));
}
