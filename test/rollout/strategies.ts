/** Strategies for Breakout. */
export const followBall = `function strategy(state) {
  const aim = state.ball_x - 8;
  if (state.paddle_x < aim - 2) return "RIGHT";
  if (state.paddle_x > aim + 2) return "LEFT";
  return "NOOP";
}`;

export const random = `function strategy() {
  return Math.floor(Math.random() * 3);
}`;

export const always = (action: string): string => `function strategy() { return "${action}"; }`;

/** Returns a strategy that plays LEFT, and runs `text` at its call number `call` (from 0). */
export const atCall = (call: number, text: string): string => `let calls = 0;
function strategy(state) {
  if (calls++ === ${call}) {
    ${text}
  }
  return "LEFT";
}`;
