import { AsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import { replace, type Undo } from '../replace';

/** Keeps what listens to the process now, whatever cells and libraries remove: without it, an exception in a callback would end the process. */
export function keepListeners(): Undo {
  const events: EventEmitter = process;
  const listening = events
    .eventNames()
    .flatMap((event) => events.listeners(event).map((listener) => [event, listener as () => void] as const));
  // Outside of any cell, to which a signal would seem to belong.
  const listenAgain = AsyncResource.bind(() => {
    for (const [event, listener] of listening)
      if (!events.listeners(event).includes(listener)) events.prependListener(event, listener);
  });
  const kept = (name: 'off' | 'removeListener' | 'removeAllListeners') => {
    const remove = events[name] as (...args: unknown[]) => unknown;
    return (...args: unknown[]) => {
      remove.apply(events, args);
      listenAgain();
      return events;
    };
  };
  return replace(events, {
    off: kept('off'),
    removeListener: kept('removeListener'),
    removeAllListeners: kept('removeAllListeners'),
  });
}

/** Reports the errors that no code of a cell caught, which would end the process. */
export function listenToErrors(report: (error: unknown) => void): Undo {
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
  return () => {
    process.off('uncaughtException', report);
    process.off('unhandledRejection', report);
  };
}
