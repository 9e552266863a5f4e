/** A thread that plays: strategies in their sandboxes against the games of one server process, in lockstep. */
import { parentPort } from 'node:worker_threads';
import { environmentReader } from '../environments/reader';
import { VectorClient } from '../openenv/vector';
import type { Outcome } from '../strategy/outcome';
import { threadId } from '../strategy/processorTime';
import { Sandbox } from '../strategy/sandbox';
import { mentionsRam, play, withRam, type Game, type Player } from './play';
import { CALL, QUEUE, type Job, type PlayRequest, type WorkerMessage } from './protocol';

/** The connection stays open between rollouts: loading games takes longer than a short episode. */
let connection: { key: string; numEnvs: number; client: VectorClient } | undefined;

parentPort!.on('message', async (request: PlayRequest) => {
  try {
    await playJobs(request);
    send({ type: 'idle' });
  } catch (error) {
    connection = undefined;
    const { message, code } = error as Error & { code?: string };
    send({ type: 'failed', message, code });
  }
});

async function playJobs(request: PlayRequest): Promise<void> {
  const { environment, options, slots, jobs, queue, call } = request;
  const reader = environmentReader(environment, options);
  const mine = [...request.mine];
  Atomics.store(call, CALL.thread, threadId());
  const client = await connect(request);
  await play(client, reader, {
    slots,
    aborted: () => Atomics.load(queue, QUEUE.aborted) === 1,
    async next(): Promise<{ game: Game; player: Player } | undefined> {
      const position = mine.shift() ?? Atomics.add(queue, QUEUE.next, 1);
      if (position >= jobs.length) return undefined;
      send({ type: 'taken', position });
      return { game: { ...jobs[position], id: position }, player: await seat(jobs[position], position, call) };
    },
    done(played) {
      send({ type: 'done', position: played.id, played }, played.frames.map(({ buffer }) => buffer as ArrayBuffer));
    },
  });
}

async function connect({ url, options, slots }: PlayRequest): Promise<VectorClient> {
  const key = JSON.stringify([url, options]);
  if (connection?.key === key && connection.numEnvs >= slots) return connection.client;
  await connection?.client.close();
  connection = undefined;
  const client = await VectorClient.connect(url, { numEnvs: slots, options });
  connection = { key, numEnvs: slots, client };
  return client;
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
      const text = JSON.stringify([seesRam ? withRam(state, ram) : state]);
      const before = sandbox.ownTime;
      const outcome = marked(() => sandbox.call(text));
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
