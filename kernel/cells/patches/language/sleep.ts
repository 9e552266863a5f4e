import { interruptCount, throwIfInterrupted } from '../../interrupt/interrupts';
import { redefine, type Undo } from '../replace';

/** Milliseconds between two looks at the flag while the thread sleeps. */
const SLICE = 100;

type Wait = (array: Int32Array, index: number, value: number, timeout?: number) => 'ok' | 'not-equal' | 'timed-out';

/** Lets an interrupt end `Atomics.wait` of a cell in this thread. */
export function waitInSlices(): Undo {
  const original = Atomics.wait as Wait;
  const wait: Wait = (array, index, value, timeout = Infinity) => {
    const [began, end] = [interruptCount(), performance.now() + (Number.isNaN(timeout) ? Infinity : timeout)];
    for (;;) {
      const left = Math.max(0, end - performance.now());
      const result = original(array, index, value, Math.min(left, SLICE));
      if (result !== 'timed-out' || left <= SLICE) return result;
      throwIfInterrupted(began);
    }
  };
  return redefine(Atomics, 'wait', { value: wait, writable: true });
}
