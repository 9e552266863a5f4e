/** A thread that asks over the pipes that it is told of. It says what became of it. */
import { parentPort, workerData } from 'node:worker_threads';
import { Pipes } from '../../kernel/environments/atari/stream/pipes';

const { address, options } = workerData;
Pipes.open(address, options)!
  .request(Uint8Array.of(1))
  .then(
    (answer) => parentPort!.postMessage({ answer }),
    ({ code, message }) => parentPort!.postMessage({ code, message }),
  );
