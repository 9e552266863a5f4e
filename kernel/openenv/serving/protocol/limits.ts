/*
 * What a server bears from its clients. The Atari server, in Python, has the
 * same rules: see environments/atari/server/limits.py.
 */

/** Largest message in bytes, over WebSocket and HTTP: 100 MiB, as in OpenEnv's clients. */
export const MAXIMUM_MESSAGE = 100 * 2 ** 20;

/** Bytes of messages that the server holds for all clients together, incomplete ones included. */
export const MAXIMUM_HELD = 4 * MAXIMUM_MESSAGE;
/** Bytes up to which a message is always accepted, so that large ones keep no small one out. */
export const SMALL_MESSAGE = 2 ** 20;

/** Milliseconds in which the head of a request must arrive, from the connection on, and the whole request. */
export const HEAD_TIMEOUT = 20_000;
export const REQUEST_TIMEOUT = 120_000;

/** Largest number of open connections without a session. */
export const MAXIMUM_CONNECTIONS = 1024;

/**
 * Messages of a connection, and their bytes, that may wait for the environment or for
 * the client to receive the answer, before no more are read.
 */
export const MAXIMUM_WAITING = 32;
export const MAXIMUM_WAITING_BYTES = 2 ** 20;

/** Milliseconds after which a session that was never played is closed for a client that asks for one on a full server. */
export const UNPLAYED = 30_000;

/** The longest delay of a timer in milliseconds. */
export const LONGEST = 2 ** 31 - 1;
