/** Returns whether a game is meant by what was typed: all of its words are in its name, in any order. */
export function isMeant(game: string, typed: string): boolean {
  const words = typed.toLowerCase().split(/[\s_]+/);
  return words.every((word) => game.includes(word));
}
