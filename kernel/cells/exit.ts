import { AsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { currentCell, isInCell } from './cell';

/** What code throws that would end its process; named as ipykernel names it. With the code 0, papermill takes a notebook for finished. */
export class SystemExit extends Error {
  override name = 'SystemExit';

  /**
   * @param call what the code called
   * @param code with which the process would have ended
   */
  constructor(
    readonly call: string,
    readonly code: string,
  ) {
    super(
      `${call} ends a program. Here it ended the cell: the kernel goes on, and the variables stay. To end the kernel, choose "Shut Down Kernel" in the menu.`,
    );
  }
}

/** Signals that a process survives, or that the kernel has a use of its own for. */
const HARMLESS = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH', 'SIGPIPE', 'SIGUSR1', 'SIGIO', 'SIGINT']);
/** Signals that end the process whoever listens. */
const LETHAL = new Set(['SIGTERM', 'SIGKILL', 'SIGSTOP']);

/** Makes what ends a process end the cell that calls it, and nothing else. */
export function keepKernelAlive(): void {
  const { kill, emit } = process;
  const end = (name: string) => (code?: number | string | null) =>
    leave(`process.${name}(${code ?? ''})`, String(code ?? process.exitCode ?? 0));
  Object.assign(process, {
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

/** Keeps what listens to the process now, whatever cells and libraries remove: without it, an exception in a callback would end the process. */
export function keepListeners(): void {
  const events: EventEmitter = process;
  const listening = events
    .eventNames()
    .flatMap((event) => events.listeners(event).map((listener) => [event, listener as () => void] as const));
  // Outside of any cell, to which a signal would seem to belong.
  const listenAgain = AsyncResource.bind(() => {
    for (const [event, listener] of listening)
      if (!events.listeners(event).includes(listener)) events.prependListener(event, listener);
  });
  for (const name of ['off', 'removeListener', 'removeAllListeners'] as const) {
    const remove = events[name] as (...args: unknown[]) => unknown;
    Object.assign(events, {
      [name](...args: unknown[]) {
        remove.apply(events, args);
        listenAgain();
        return events;
      },
    });
  }
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
