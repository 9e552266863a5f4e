import { OpenEnvError } from '../errors';
import { sessionAtWork } from './session';
import { errorText, logError } from './thrown';

/**
 * Keeps errors that nobody catches from ending this process with all its sessions: an
 * environment may throw late, from a timer or a promise. Each is logged, and ends the
 * session whose work it comes from, where that is known. For processes that only
 * serve.
 */
export function surviveLateErrors(): void {
  process.on('uncaughtException', late);
  process.on('unhandledRejection', late);
}

function late(error: unknown): void {
  // Nobody reads the output any more: to write of that would fail, too.
  if (isBrokenPipe(error)) return;
  const session = sessionAtWork.getStore();
  logError(
    session ? 'An environment failed outside of its calls, and its session was ended:' : 'An error that nobody caught:',
    error,
  );
  const message = `The environment failed outside of its calls, and the session was ended: ${errorText(error)}`;
  session?.fail(new OpenEnvError('EXECUTION_ERROR', message));
}

function isBrokenPipe(error: unknown): boolean {
  try {
    return (error as NodeJS.ErrnoException | null)?.code === 'EPIPE';
  } catch {
    return false; // Whatever was thrown does not like to be looked at.
  }
}
