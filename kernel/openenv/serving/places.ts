import type { Session } from './session';

/** Milliseconds that a session keeps its place on a full server while nothing comes for it. */
export interface IdleLimits {
  /** One that was never played. */
  unplayed: number;
  played: number;
}

/**
 * The session that gives its place to a client that asks for one on a full
 * server, where there is one: of those that nothing came for the longest.
 *
 * #### Notes
 * A session that was never played loses nothing: its limit is half a minute. One
 * that was played may think for long, as a model that writes for ten minutes
 * does: it keeps its place for half of `idleTimeout`, a quarter of an hour.
 * While there is room nobody gives up anything. There is no limit for each
 * client: one trainer may fill a server with its groups, and behind a proxy
 * all have one address.
 */
export function sessionToYield(sessions: Session[], limits: IdleLimits): Session | undefined {
  const now = Date.now();
  const idle = (session: Session): number => now - session.lastActivity;
  const waiting = sessions.filter(
    (session) => !session.busy && idle(session) >= (session.played ? limits.played : limits.unplayed),
  );
  return waiting.sort((a, b) => Number(a.played) - Number(b.played) || idle(b) - idle(a))[0];
}

/** The message to the client of that session. */
export const YIELDED =
  'The session was closed: nothing came for a while, and on the full server others were waiting for a place. A new session can be opened.';
