/** The thread behind a locked-down function: one sandbox, one request at a time. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { ANSWER } from './outcome';
import type { LockedReply, LockedRequest, LockedStage } from './locked';
import { threadId } from '../common/threads/processorTime';
import { Sandbox } from './sandbox';

const { port, answered } = workerData as { port: MessagePort; answered: Int32Array };
Atomics.store(answered, ANSWER.thread, threadId());
let sandbox: Sandbox | undefined;

port.on('message', async (request: LockedRequest) => {
  let reply: LockedReply;
  try {
    reply = await answer(request);
  } catch (error) {
    reply = {
      outcome: { kind: 'failure', failure: { reason: 'error', message: `the sandbox failed: ${error}` } },
      seconds: 0,
    };
  }
  port.postMessage(reply);
  Atomics.store(answered, ANSWER.there, 1);
  Atomics.notify(answered, ANSWER.there);
  if (request.type === 'open') post('opened');
});

async function answer(request: LockedRequest): Promise<LockedReply> {
  if (request.type === 'open') {
    sandbox?.dispose();
    const engine = await Sandbox.engine(request.limits);
    Atomics.store(answered, ANSWER.ready, 1);
    Atomics.notify(answered, ANSWER.ready);
    post('ready');
    sandbox = new Sandbox(engine, request.program, request.limits);
    return { outcome: sandbox.opened, seconds: sandbox.ownTime };
  }
  const before = sandbox!.ownTime;
  const outcome = sandbox!.call(request.argumentsText);
  return { outcome, seconds: sandbox!.ownTime - before };
}

/** Posts a stage, for those who await the start without blocking. */
function post(stage: LockedStage): void {
  parentPort!.postMessage(stage);
}
