import type { Undo } from '../replace';

/**
 * Leaves SIGINT to the thread that waits for it (see jupyter/interrupt), whatever
 * listeners libraries add: a listener that Node.js takes away while a cell
 * computes would leave the signal to the system, which ends the process.
 */
export function leaveSigint(): Undo {
  const events: NodeJS.EventEmitter = process;
  const undo = ['newListener', 'removeListener'].flatMap((event) =>
    events.listeners(event).map((original) => {
      const listener = (type: string): unknown => type !== 'SIGINT' && original.call(process, type);
      exchange(event, original, listener);
      return () => exchange(event, listener, original);
    }),
  );
  return () => undo.forEach((it) => it());
}

function exchange(event: string, before: Function, after: Function): void {
  const events: NodeJS.EventEmitter = process;
  events.removeListener(event, before as () => void);
  events.on(event, after as () => void);
}
