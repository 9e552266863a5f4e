import { FLAG } from '../../jupyter/interrupt/flag';
import { isAbandoned } from '../../rewards/callbacks';
import { currentCell, KeyboardInterrupt } from '../cell';
import { GUARD } from '../compile/names';
import { redefine, type Undo } from '../patches/replace';

let flag = new Int32Array(Object.keys(FLAG).length);

/** Returns how often the session was interrupted so far. An interrupt does not end code that begins after it, such as that of a `finally`. */
export function interruptCount(): number {
  return Atomics.load(flag, FLAG.count);
}

/** Counts the synchronous parts of cells. */
let parts = 0;

/** Begins a synchronous part, which SIGINT ends when nothing else does. */
export function beginPart(): void {
  Atomics.store(flag, FLAG.part, ++parts);
}

/** Ends a synchronous part: from here on, SIGINT ends nothing. */
export function endPart(): void {
  Atomics.store(flag, FLAG.part, 0);
}

/** Notes that SIGINT has ended a part, so that the wire thread does not expect it any more. */
export function noteSigint(): void {
  Atomics.store(flag, FLAG.ended, 1);
}

/** Throws a KeyboardInterrupt when there was an interrupt since code began, at which there had been `began`. */
export function throwIfInterrupted(began: number): void {
  const raised = Atomics.load(flag, FLAG.raised) !== 0 && Atomics.load(flag, FLAG.count) > began;
  if (raised || (currentCell()?.interruptedAt ?? 0) > began) stop();
}

function stop(): never {
  Atomics.compareExchange(flag, FLAG.raised, 1, 2);
  throw new KeyboardInterrupt();
}

/** The functions that guarded code calls (see guards.ts), as methods of the flag. */
const guards = {
  looping: throwIfInterrupted,
  entered: stop,
  resumed<T>(value: T, began: number): T {
    throwIfInterrupted(began);
    if (isAbandoned()) throw new KeyboardInterrupt();
    return value;
  },
};

/** Installs the global that guarded code reads: the flag in shared memory, with {@link guards} as its methods. */
export function installGuards(interruptFlag: Int32Array): Undo {
  flag = interruptFlag as Int32Array<ArrayBuffer>;
  return redefine(globalThis, GUARD, { value: Object.assign(flag, guards) });
}
