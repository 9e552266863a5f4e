import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds. Throws after `seconds`, a limit that only ends a test that hangs, with what did not come. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  seconds = 60,
): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (!(await condition())) {
    if (performance.now() > end)
      throw new Error(`Not within ${seconds} s: ${typeof what === 'string' ? what : what()}`);
    await sleep(10);
  }
}
