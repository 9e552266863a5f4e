/** A worker thread that plays strategies in sandboxes, in the vector environments of one source. */
import { parentPort } from 'node:worker_threads';
import { threadId } from '../common/threads/processorTime';
import { openVectorEnvs } from '../environments/vectorEnv';
import type { Outcome } from '../strategy/outcome';
import { Sandbox } from '../strategy/sandbox';
import { play } from './play';
import { failingPolicy, sandboxPolicy, type Policy } from './policies';
import { CALL, QUEUE, type PlayRequest, type StrategyJob, type WorkerMessage } from './protocol';

parentPort!.on('message', async (request: PlayRequest) => {
  try {
    await playJobs(request);
    send({ type: 'idle' });
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    send({ type: 'failed', message, code });
  }
});

async function playJobs({ source, concurrency, jobs, mine: first, queue, call }: PlayRequest): Promise<void> {
  const mine = [...first];
  Atomics.store(call, CALL.thread, threadId());
  await play(openVectorEnvs(source), source.spec, {
    concurrency,
    aborted: () => Atomics.load(queue, QUEUE.aborted) === 1,
    waiting: () => mine.length > 0 || Atomics.load(queue, QUEUE.next) < jobs.length,
    take() {
      const position = mine.shift() ?? Atomics.add(queue, QUEUE.next, 1);
      if (position >= jobs.length) return undefined;
      send({ type: 'taken', position });
      return { ...jobs[position], id: position };
    },
    policy: ({ id }) => policyOf(jobs[id], id, call),
    done(played) {
      send(
        { type: 'done', position: played.id, played },
        played.frames?.frames.map(({ buffer }) => buffer as ArrayBuffer),
      );
    },
    live: {
      wants: ({ livePlaces }) => livePlaces !== undefined && livePlaces[0] < Atomics.load(queue, QUEUE.live),
      show(episodes, screen) {
        const pixels = episodes.flatMap(({ picture }) => (picture instanceof Uint8Array ? picture.buffer : []));
        const shots = episodes.map(({ job, ...shot }) => ({ ...shot, position: job.id }));
        send({ type: 'live', episodes: shots, screen }, pixels as ArrayBuffer[]);
      },
    },
    open: (change) => Atomics.add(queue, QUEUE.open, change) + change,
    waits: (why, milliseconds) => send({ type: 'waits', why, milliseconds }),
  });
}

/** Returns the policy of a job: its strategy in a sandbox. Every entry into it is marked in `call`. */
async function policyOf({ broken, limits, program }: StrategyJob, position: number, call: Int32Array): Promise<Policy> {
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
  if (broken?.step === -1) return failingPolicy(broken.failure);
  const engine = await Sandbox.engine(limits);
  const sandbox = marked(() => new Sandbox(engine, program, limits));
  const failed: Outcome | undefined = broken && { kind: 'failure', failure: broken.failure };
  return sandboxPolicy(sandbox, program.javascript, (run) => (failed && broken!.step === step ? failed : marked(run)));
}

function send(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}
