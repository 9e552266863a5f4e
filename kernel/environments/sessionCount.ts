import type { SessionCount } from '../display/overview';

/**
 * The name of the method of an environment that returns its open sessions, and those that
 * wait for an answer or are played by a person; `null` once it is closed. Those of
 * rollouts are not among them.
 */
export const SESSIONS = Symbol.for('joylab.sessions');

/** An environment that knows its sessions. */
export interface CountsSessions {
  [SESSIONS](): SessionCount | null;
}

/** Returns the count of a session with a server. */
export function sessionCount({ connected, busy }: { connected: boolean; busy: boolean }): SessionCount {
  return { open: Number(connected), busy: Number(connected && busy) };
}
