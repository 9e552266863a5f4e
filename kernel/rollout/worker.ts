/** A thread that plays: strategies in their sandboxes, in the games of one lane. */
import { markedText } from '../common/exactJson';
import { parentPort } from 'node:worker_threads';
import type { Outcome } from '../strategy/outcome';
import { threadId } from '../common/processorTime';
import { Sandbox } from '../strategy/sandbox';
import { openLane } from './lane';
import { Loans } from './loans';
import { mentionsRam, type Player } from './play';
import { CALL, QUEUE, type Job, type PlayRequest, type WorkerMessage } from './protocol';

parentPort!.on('message', async (request: PlayRequest) => {
  try {
    await playJobs(request);
    send({ type: 'idle' });
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    send({ type: 'failed', message, code });
  }
});

async function playJobs({ lanes, lane: own, core, idle, slots, jobs, mine: first, queue, call, sleep }: PlayRequest): Promise<void> {
  const mine = [...first];
  const thread = threadId();
  Atomics.store(call, CALL.thread, thread);
  const loans = new Loans(lanes, idle, core !== undefined, sleep);
  const lane = await openLane(lanes[own], slots, { place: { thread, core }, sleep, idle: () => loans.offer(own) });
  await lane.play({
    slots,
    aborted: () => Atomics.load(queue, QUEUE.aborted) === 1,
    waiting: () => mine.length > 0 || Atomics.load(queue, QUEUE.next) < jobs.length,
    take() {
      const position = mine.shift() ?? Atomics.add(queue, QUEUE.next, 1);
      if (position >= jobs.length) return undefined;
      send({ type: 'taken', position });
      return { ...jobs[position], id: position };
    },
    seat: ({ id }) => seat(jobs[id], id, call),
    done(played) {
      send({ type: 'done', position: played.id, played }, played.frames.map(({ buffer }) => buffer as ArrayBuffer));
    },
    sessions: (change) => Atomics.add(queue, QUEUE.sessions, change) + change,
    waits: (why, milliseconds) => send({ type: 'waits', why, milliseconds }),
    borrow: (count) => loans.borrow(count),
  });
}

/** Opens the sandbox of a job. Every entry into it is marked in `call`. */
async function seat(job: Job, position: number, call: Int32Array): Promise<Player> {
  const { broken } = job;
  let step = -1;
  const marked = <Result>(run: () => Result): Result => {
    Atomics.store(call, CALL.step, step++);
    Atomics.add(call, CALL.count, 1);
    Atomics.store(call, CALL.job, position + 1);
    try {
      return run();
    } finally {
      Atomics.store(call, CALL.job, 0);
    }
  };
  if (broken?.step === -1) return failing(broken.failure);
  const seesRam = mentionsRam(job.program.javascript);
  const engine = await Sandbox.engine(job.limits);
  const sandbox = marked(() => new Sandbox(engine, job.program, job.limits));
  return {
    choose(state, ram) {
      if (broken?.step === step) return failing(broken.failure).choose(state, ram);
      const before = sandbox.ownTime;
      const outcome = marked(() => {
        if (!ram) return sandbox.call(markedText([state]));
        return sandbox.callWith(state as Record<string, number>, seesRam ? ram : undefined);
      });
      return { outcome, seconds: sandbox.ownTime - before };
    },
    dispose: () => sandbox.dispose(),
  };
}

function failing(failure: Extract<Outcome, { kind: 'failure' }>['failure']): Player {
  return { choose: () => ({ outcome: { kind: 'failure', failure }, seconds: 0 }), dispose() {} };
}

function send(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}
