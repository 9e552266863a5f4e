import { parentPort } from 'node:worker_threads';
import { Script } from 'node:vm';

/**
 * A thread that waits for SIGINT and notifies its parent thread.
 *
 * #### Notes
 * Node.js runs signal handlers on the main thread, which does not run them
 * while it computes. But SIGINT also ends code that a `vm` script runs with
 * `breakOnSigint`, in whatever thread: here such a script sleeps. The script
 * that began last is the one that ends, so a signal ends the synchronous part
 * of a cell and is not seen here.
 *
 * The script runs inside another of its kind: without one, for the moment
 * between two sleeps, SIGINT would end the process.
 */
const sleeping = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const sleep = new Script('sleep()');
const sleepAgain = new Script('sleepAgain()');

Object.assign(globalThis, {
  sleep: () => Atomics.wait(sleeping, 0, 0),
  sleepAgain: () => forEver(sleep),
});

function forEver(script: Script): never {
  for (;;) {
    try {
      script.runInThisContext({ breakOnSigint: true });
    } catch {
      parentPort!.postMessage('SIGINT');
    }
  }
}

parentPort!.postMessage('ready');
forEver(sleepAgain);
