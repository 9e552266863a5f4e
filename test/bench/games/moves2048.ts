/*
 * Strategies for 2048 by hand. The board's symmetries make three orders of
 * moves of the 24: the second move is opposite to the first, or the third is,
 * or the fourth.
 */

/** The corner strategy of the notebook. */
export const CORNER = 'corner: down, left, right, up';

/** Returns a strategy that takes the first move of an order that changes the board. */
function order(...moves: string[]): string {
  return `function strategy(state) {
  for (const move of [${moves.map((move) => `"${move}"`).join(', ')}]) if (state[\`\${move.toLowerCase()}_empty\`] >= 0) return move;
  return "${moves[0]}";
}`;
}

export const moveOrders: Record<string, string> = {
  [CORNER]: order('DOWN', 'LEFT', 'RIGHT', 'UP'),
  'down, left, up, right': order('DOWN', 'LEFT', 'UP', 'RIGHT'),
  'down, up, left, right': order('DOWN', 'UP', 'LEFT', 'RIGHT'),
};

export const randomMove =
  'function strategy({ legal_actions }) { return legal_actions[Math.floor(Math.random() * legal_actions.length)]; }';
