import { cellContext } from '../display/cellContext';

/**
 * Returns a signal that follows `signal`, and what ends its listening. In a terminal the first Ctrl-C aborts it,
 * too, so that a script can save what was learned; a second one ends the
 * process as usual.
 */
export function abortSource(signal: AbortSignal): { signal: AbortSignal; dispose(): void } {
  if (!cellContext().console) return { signal, dispose() {} };
  const controller = new AbortController();
  const interrupt = () => controller.abort(new DOMException('interrupted', 'AbortError'));
  process.once('SIGINT', interrupt);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    dispose: () => void process.removeListener('SIGINT', interrupt),
  };
}
