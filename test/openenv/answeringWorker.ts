/** A server in a worker thread: it answers while the test computes, and records in shared memory that it has. */
import { parentPort, workerData } from 'node:worker_threads';
import { faultyServer } from './faultyServer';

const answered = workerData as Int32Array;

void faultyServer((socket, { data }) => {
  const answer = { type: 'observation', data: { observation: data, reward: 0, done: false } };
  socket.send(JSON.stringify(answer), () => Atomics.store(answered, 0, 1));
}).then(({ url }) => parentPort!.postMessage(url));
