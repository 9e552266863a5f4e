/** Characters of an exception's message, at most. */
const LONGEST = 10_000;

/** Returns the kind and message of an exception, whatever was thrown. Never throws. */
export function errorText(error: unknown): string {
  return readable(() => {
    if (!(error instanceof Error)) return String(error);
    return error.name === 'Error' ? `${error.message}` : `${error.name}: ${error.message}`;
  });
}

/** Returns the message of an exception without its kind. Never throws. */
export function plainMessage(error: unknown): string {
  return readable(() => `${(error as Error | null | undefined)?.message ?? String(error)}`);
}

/** Writes an exception to the log, whatever was thrown. Never throws. */
export function logError(what: string, error: unknown): void {
  try {
    console.error(what, error);
  } catch {
    console.error(what, errorText(error));
  }
}

/**
 * Returns what `read` returns, cut. An environment may throw anything: an object
 * without a text, a message that throws when it is read, or one of megabytes.
 */
function readable(read: () => string): string {
  try {
    const text = read();
    return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
  } catch {
    return 'An exception whose message cannot be read.';
  }
}

/** Returns whether what was thrown is an instance of `type`, also for objects on which `instanceof` throws. Never throws. */
export function isA<Type>(error: unknown, type: abstract new (...args: any[]) => Type): error is Type {
  try {
    return error instanceof type;
  } catch {
    return false;
  }
}
