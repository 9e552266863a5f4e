import { cellContext } from '../display/cellContext';

/** A signal that ends a run: see {@link abortSource}. */
export interface AbortSource {
  signal: AbortSignal;
  /** Aborts it from inside. */
  abort(): void;
  dispose(): void;
}

/**
 * Returns a signal that follows `signal`, what aborts it from inside, and what ends its
 * listening. In a terminal the first Ctrl-C aborts it, too, so that a script can save
 * what was learned; a second one ends the process as usual.
 */
export function abortSource(signal: AbortSignal): AbortSource {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException('interrupted', 'AbortError'));
  const { console: inTerminal } = cellContext();
  if (inTerminal) process.once('SIGINT', abort);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    abort,
    dispose: () => void (inTerminal && process.removeListener('SIGINT', abort)),
  };
}
