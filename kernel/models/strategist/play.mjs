/**
 * Plays programs for the gate: reads lines of JSON `{ code, states }`, and
 * writes for each the actions that `strategy` returns, or `{ error }`.
 *
 * Each program is evaluated once, in a context of its own, and called with the
 * states in their order, as an episode does.
 */
import { createInterface } from 'node:readline';
import { createContext, runInContext } from 'node:vm';

/** Milliseconds for all calls of one program. */
const LIMIT = 2000;

for await (const line of createInterface({ input: process.stdin })) {
  const { code, states } = JSON.parse(line);
  console.log(JSON.stringify(play(code, states)));
}

function play(code, states) {
  try {
    const context = createContext({ states: JSON.stringify(states) });
    const answers = runInContext(
      `${code}\n;JSON.stringify(JSON.parse(states).map((state) => { const action = strategy(state); return action === undefined ? null : action; }))`,
      context,
      { timeout: LIMIT },
    );
    return JSON.parse(answers);
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
}
