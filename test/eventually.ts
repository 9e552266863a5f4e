import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds, on a busy machine, too: the limit is there to end a test that hangs, and says what did not come. */
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
