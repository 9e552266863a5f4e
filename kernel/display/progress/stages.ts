import { AsyncLocalStorage } from 'node:async_hooks';
import { withProgress } from './progress';

/** Does `work` that says itself what it is doing: each stage is shown until the next. */
export async function withStages<T>(first: string, work: (say: (stage: string) => void) => Promise<T>): Promise<T> {
  // Who says so may not know where this is shown: a message has come.
  const here = AsyncLocalStorage.snapshot();
  let end = (): void => {};
  const say = (stage: string): void => {
    end();
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    void here(() => withProgress(stage, 0, () => over));
  };
  say(first);
  try {
    return await work(say);
  } finally {
    end();
  }
}
