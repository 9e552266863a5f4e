import { Channel, type ChannelOptions } from './channel';
import { OpenEnvError, serverError } from './errors';
import { getJson, webSocketUrl } from './http';
import { parseMessage } from './messages';
import { raceAbort } from '../common/raceAbort';
import { Backoff } from './backoff';

/** Options of {@link openSession}. All times are in milliseconds. */
export interface SessionOptions extends Omit<ChannelOptions, 'connectTimeout' | 'messageTimeout'> {
  /** Time in which the connection must be made. Default: 10,000. */
  connectTimeout?: number;
  /** Time in which a message must be answered. Default: 60,000. */
  messageTimeout?: number;
  /** Time for which to wait for a free session where the server is full. Default: 60,000; 0: not at all. */
  capacityTimeout?: number;
  /** Returns the signal that ends the wait for a server or a free session. Default: `signal`. */
  waitSignal?: () => AbortSignal;
  /** Called when the server is full, before the wait. Resolves to whether it has freed a session. */
  freeSession?: () => Promise<boolean>;
  /** Called before each wait with a line that says what is awaited. */
  onWait?: (line: string) => void;
  /** Called when the wait is over, with whether a session is open. */
  onWaited?: (successful: boolean) => void;
}

type Complete = SessionOptions &
  Required<Pick<SessionOptions, 'connectTimeout' | 'messageTimeout' | 'capacityTimeout'>>;

/**
 * Opens a session on a server; waits while it is full.
 *
 * @param reachTimeout milliseconds for which to retry while the server does not answer
 */
export async function openSession(url: string, options: Complete, reachTimeout = 0): Promise<Channel> {
  const waiting = { signal: options.waitSignal?.() ?? options.signal, onWait: options.onWait };
  const away = new Backoff(reachTimeout, waiting);
  const full = new Backoff(options.capacityTimeout, waiting);
  let reached = false;
  try {
    for (;;) {
      try {
        const channel = await enter(url, options);
        reached = true;
        return channel;
      } catch (error) {
        const code = error instanceof OpenEnvError ? error.code : undefined;
        if (code === 'CAPACITY_REACHED') {
          if (await options.freeSession?.()) continue;
          if (!(await full.next(`${url} is full (${sessionsInUse(error)}): waiting for a place`)))
            throw fullError(url, error as OpenEnvError, options.capacityTimeout);
        } else if (!isAway(code) || !(await away.next(`${url} does not answer: trying again`))) throw error;
      }
    }
  } finally {
    if (away.waited || full.waited) options.onWaited?.(reached);
  }
}

function isAway(code: string | undefined): boolean {
  return code === 'CONNECTION_FAILED' || code === 'CONNECTION_LOST' || code === 'TIMEOUT';
}

/** Tries once: connects, and asks for the state, to which a full server answers that it is full. */
async function enter(url: string, options: Complete): Promise<Channel> {
  const channel = await Channel.open(webSocketUrl(url, '/ws'), options).catch((error) =>
    explainRefusal(url, error, options),
  );
  try {
    const timeout = Math.max(options.connectTimeout, options.messageTimeout);
    const question = channel.request(JSON.stringify({ type: 'state' }), parseMessage, timeout);
    const answer = await raceAbort(question, options.waitSignal?.());
    // Some environments have no state before the first reset: that they say so is a session, too.
    if (answer.type === 'error' && ['CAPACITY_REACHED', 'FACTORY_ERROR', 'SESSION_ERROR'].includes(answer.data.code))
      throw serverError(answer.data);
    channel.afterLoss = 'reset() starts a new session.';
    return channel;
  } catch (error) {
    await channel.close();
    throw error;
  }
}

/** Throws the error that explains why a server refused the WebSocket. */
async function explainRefusal(url: string, error: unknown, { connectTimeout, headers }: Complete): Promise<never> {
  const status = Number(/Unexpected server response: (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]);
  if (status === 401 || status === 403)
    throw new OpenEnvError(
      'CONNECTION_FAILED',
      `${url} refuses the connection (HTTP ${status}). Where it wants a token: { headers: { Authorization: 'Bearer …' } }.`,
    );
  if (status !== 404 && status !== 405 && status !== 426) throw error;
  const healthy = await getJson(`${url}/health`, { timeout: connectTimeout, headers }).then(
    () => true,
    () => false,
  );
  if (!healthy)
    throw new OpenEnvError(
      'CONNECTION_FAILED',
      `${url} is no OpenEnv server: it has neither /ws nor /health (HTTP ${status}).`,
    );
  throw new OpenEnvError(
    'NOT_SUPPORTED',
    `${url} speaks HTTP alone: it has no WebSocket at /ws, and only there does a server keep a session. An OpenEnv server of version 0.2 or newer has it.`,
  );
}

function sessionsInUse(error: unknown): string {
  const { active_sessions: active, max_sessions: most } = (error as OpenEnvError).details as Record<string, number>;
  return most === undefined ? 'no place is free' : `${active} of ${most} sessions in use`;
}

function fullError(url: string, error: OpenEnvError, waited: number): OpenEnvError {
  const time = waited > 0 ? ` A place was waited for, ${waited / 1000} s (capacityTimeout).` : '';
  const advice =
    'Close environments that are no longer used (env.close(), also in other notebooks), or start the server with more places: official ones take the variable MAX_CONCURRENT_ENVS, where their environment allows several sessions.';
  return new OpenEnvError(
    'CAPACITY_REACHED',
    `${url} is full: ${sessionsInUse(error)}.${time} ${advice}`,
    error.details,
  );
}
