import { constants } from 'node:os';
import { currentCell, isInCell } from '../../cell';
import { SystemExit } from '../../systemExit';
import { replace, type Undo } from '../replace';

/** Signals that a process survives, or that the kernel has a use of its own for. */
const HARMLESS = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH', 'SIGPIPE', 'SIGUSR1', 'SIGIO', 'SIGINT']);
/** Signals that end the process whoever listens. */
const LETHAL = new Set(['SIGTERM', 'SIGKILL', 'SIGSTOP']);

/** Makes what ends a process end the cell that calls it, and nothing else. */
export function keepKernelAlive(): Undo {
  const { kill, emit } = process;
  const end = (name: string) => (code?: number | string | null) =>
    leave(`process.${name}(${code ?? ''})`, String(code ?? process.exitCode ?? 0));
  return replace(process, {
    exit: end('exit'),
    reallyExit: end('reallyExit'),
    abort: () => leave('process.abort()', String(128 + constants.signals.SIGABRT)),
    kill(pid: number, signal: NodeJS.Signals | number = 'SIGTERM'): true {
      if (isOwn(pid) && isLethal(signal))
        leave(
          `process.kill(${pid === process.pid ? 'process.pid' : pid}, ${JSON.stringify(signal)})`,
          String(128 + (constants.signals[nameOf(signal)] ?? 0)),
        );
      return kill.call(process, pid, signal);
    },
    emit(event: string, ...args: unknown[]): boolean {
      if (event === 'SIGTERM' && isInCell()) leave(`process.emit('SIGTERM')`, String(128 + constants.signals.SIGTERM));
      if (event !== 'uncaughtException') return (emit as Function).call(process, event, ...args);
      try {
        return (emit as Function).call(process, event, ...args);
      } catch {
        // An exception of a listener to exceptions would end the process.
        return true;
      }
    },
  });
}

function leave(call: string, code: string): never {
  const cell = currentCell();
  const error = new SystemExit(call, code);
  if (cell?.ended)
    cell.output.stream('stderr', `${call} was called after its cell had ended: it has no effect in a notebook.\n`);
  cell?.end(error);
  throw error;
}

/** This process, or a group with it. */
function isOwn(pid: number): boolean {
  return Math.abs(pid) === process.pid || pid === 0;
}

function isLethal(signal: NodeJS.Signals | number): boolean {
  const name = nameOf(signal);
  if (LETHAL.has(name)) return true;
  return signal !== 0 && !HARMLESS.has(name) && process.listenerCount(name) === 0;
}

function nameOf(signal: NodeJS.Signals | number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([name, number]) => name === signal || number === signal);
  return (found?.[0] ?? signal) as NodeJS.Signals;
}
