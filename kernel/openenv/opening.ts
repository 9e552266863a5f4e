import { Channel, type ChannelOptions } from './channel';
import { OpenEnvError, serverError } from './errors';
import { getJson, webSocketUrl } from './http';
import { parseMessage } from './messages';
import { raceAbort } from '../common/raceAbort';
import { Waiting } from './waiting';

/** Options of {@link openSession}. Times in milliseconds. */
export interface SessionOptions extends Omit<ChannelOptions, 'connectTimeout' | 'messageTimeout'> {
  /** For the connection to be made; default 10,000. */
  connectTimeout?: number;
  /** For the answer to a message; default 60,000. */
  messageTimeout?: number;
  /** Time to wait for a place where the server is full; default 60,000. 0: not at all. */
  capacityTimeout?: number;
  /** Gives the signal that ends the waiting for a server or a place when it is aborted; by default `signal`. */
  waitSignal?: () => AbortSignal;
  /** Called when the server is full, before waiting. Returns whether a place was made. */
  freeSession?: () => Promise<boolean>;
  /** Called with what is waited for, in a line. */
  onWait?: (line: string) => void;
  /** Called when the waiting is over, with whether it was worth it. */
  onWaited?: (successful: boolean) => void;
}

type Complete = SessionOptions &
  Required<Pick<SessionOptions, 'connectTimeout' | 'messageTimeout' | 'capacityTimeout'>>;

/**
 * Connects to a server and waits for a place on it.
 *
 * @param reachTimeout how long to try while nobody answers, in milliseconds
 */
export async function openSession(url: string, options: Complete, reachTimeout = 0): Promise<Channel> {
  const waiting = { signal: options.waitSignal?.() ?? options.signal, onWait: options.onWait };
  const away = new Waiting(reachTimeout, waiting);
  const full = new Waiting(options.capacityTimeout, waiting);
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

/** One try: the connection, and a first question, to which a server without a place says so. */
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

/** A server that is there but takes no WebSocket: what it is. */
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
