/** Resolves when the newest of the outputs that take time is shown; `null` while there is none. */
let newest: Promise<void> | null = null;

/** Returns whether outputs wait: later ones wait for them, so that outputs keep their order. */
export function outputsWait(): boolean {
  return newest !== null;
}

/**
 * Shows a value once it is ready and earlier outputs are shown.
 *
 * @returns a promise that resolves when it is shown
 */
export function showInTurn<Value>(value: Value | Promise<Value>, show: (value: Value) => void): Promise<void> {
  const mine = Promise.all([value, newest]).then(([ready]) => show(ready));
  newest = mine;
  return mine.finally(() => {
    if (newest === mine) newest = null;
  });
}

/**
 * Resolves when all outputs until now are shown.
 *
 * @param stopped rejects when nobody waits for them any more: later outputs do not, either
 */
export async function outputsShown(stopped: Promise<never>): Promise<void> {
  try {
    await Promise.race([newest?.catch(() => {}), stopped]);
  } catch (error) {
    newest = null;
    throw error;
  }
}
