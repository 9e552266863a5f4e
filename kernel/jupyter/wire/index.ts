import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Posted, ToMain, WireOptions } from '../protocol';
import { Log } from './log';
import { watchParent } from './parent';
import { Wire } from './wire';

/*
 * The wire thread, which stays responsive while the main thread runs cells.
 */

const port = parentPort!;
const wire = new Wire(workerData as WireOptions, port, new Log());
port.on('message', (posted: Posted) => wire.handle(posted));

const signals = new Worker(join(__dirname, '..', 'interrupt', 'signals.js'));
signals.on('message', (message) => message === 'SIGINT' && wire.onSignal());
signals.unref();

watchParent(() => wire.exit());

wire.start().catch((error: Error) => {
  port.postMessage({ type: 'fatal', message: error.message } satisfies ToMain);
});
