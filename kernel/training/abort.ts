import { host } from '../display/host';

/** A signal for one call, and what ends its listening. */
export interface AbortSource {
  signal: AbortSignal;
  dispose(): void;
}

/**
 * A signal that follows `signal`. In a terminal the first Ctrl-C aborts it,
 * too, so that a script can save what was learned; a second one ends the
 * process as usual.
 */
export function abortSource(signal: AbortSignal): AbortSource {
  if (!host().console) return { signal, dispose() {} };
  const controller = new AbortController();
  const interrupt = () => controller.abort(new DOMException('interrupted', 'AbortError'));
  process.once('SIGINT', interrupt);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    dispose: () => void process.removeListener('SIGINT', interrupt),
  };
}
