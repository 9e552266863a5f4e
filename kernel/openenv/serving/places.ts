import type { Session } from './session';

/** Milliseconds for which an idle session is kept open on a full server. */
export interface IdleLimits {
  /** For a session that was never reset, stepped or used by tools. */
  unplayed: number;
  played: number;
}

/**
 * Returns the session to close for a client that asks for one on a full server: of
 * those beyond their limit, the one that has been idle the longest, never played ones
 * first. `undefined` where there is none.
 *
 * #### Notes
 * A session that was never played loses nothing: its limit is half a minute. The
 * client of a played one may compute for long, such as a model that generates for ten
 * minutes: its limit is half of `idleTimeout`, a quarter of an hour. While there is
 * room no session is closed. There is no limit for each client: one trainer may fill a
 * server with its groups, and behind a proxy all have one address.
 */
export function sessionToYield(sessions: Session[], limits: IdleLimits): Session | undefined {
  const now = Date.now();
  const idle = (session: Session): number => now - session.lastActivity;
  const waiting = sessions.filter(
    (session) => !session.busy && idle(session) >= (session.played ? limits.played : limits.unplayed),
  );
  return waiting.sort((a, b) => Number(a.played) - Number(b.played) || idle(b) - idle(a))[0];
}

/** The message to the client of the session that was closed. */
export const YIELDED =
  'The session was closed: nothing came for a while, and on the full server others were waiting for a place. A new session can be opened.';
