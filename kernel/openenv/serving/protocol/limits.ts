/*
 * What a server bears from its clients. The Atari server, in Python, has the
 * same rules: see environments/atari/server/limits.py.
 */

/** Bytes of the largest message, over WebSocket and HTTP: 100 MB, as OpenEnv's clients have it. */
export const MAXIMUM_MESSAGE = 100 * 2 ** 20;

/** Bytes of messages that the server holds at a time, all clients together, those that are still arriving included. */
export const MAXIMUM_HELD = 4 * MAXIMUM_MESSAGE;
/** A message of so many bytes is taken in any case: who fills the server with large ones keeps no small one out. */
export const SMALL_MESSAGE = 2 ** 20;

/** Milliseconds that the head of a request has to arrive, also where nothing has come yet, and a whole request. */
export const HEAD_TIMEOUT = 20_000;
export const REQUEST_TIMEOUT = 120_000;

/** Connections without a session that are open at a time. */
export const MAXIMUM_CONNECTIONS = 1024;

/** Messages of a connection, and bytes of these, that may wait for the environment or for the client to take the answer, before no more are read. */
export const MAXIMUM_WAITING = 32;
export const MAXIMUM_WAITING_BYTES = 2 ** 20;

/** Milliseconds after which a session that was never played gives its place to who asks for one on a full server. */
export const UNPLAYED = 30_000;

/** Milliseconds that timers know, at most. */
export const LONGEST = 2 ** 31 - 1;
