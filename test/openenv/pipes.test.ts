import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { before, test } from 'node:test';
import { serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { atariProcesses } from '../../kernel/environments/atari/servers';
import type { OpenEnvErrorCode } from '../../kernel/openenv';
import { AtariClient, type AtariProcess, type AtariStep } from '../../kernel/environments/atari/stream';
import { BlockedThread, type WaitCells } from '../../kernel/common/threads/blockedThread';
import { eventually } from '../eventually';
import { processAt } from '../rollout/processAt';

const OPTIONS = { game: 'breakout', noopMax: 0 };
const linux = process.platform === 'linux';

let lanes: AtariProcess[];
before(async () => {
  lanes = await atariProcesses(2);
});

const connect = (lane: number, wait?: WaitCells): Promise<AtariClient> =>
  AtariClient.connect(lanes[lane].url, { numEnvs: 8, options: OPTIONS, wait });
const cells = (): WaitCells => new BlockedThread(60_000).cells;

/** Everything that some steps give. */
async function play(client: AtariClient, steps = 30): Promise<AtariStep[]> {
  const slots = [0, 1, 2, 3, 4, 5, 6, 7];
  const answers = [await client.reset(slots, slots, { frames: 3 })];
  for (let step = 0; step < steps; step++)
    answers.push(
      await client.step(
        slots,
        slots.map((slot) => (slot + step) % client.actions.length),
      ),
    );
  await client.restore([7, 0], await client.save([0, 1]));
  answers.push(await client.step([7], [1]));
  await assert.rejects(client.step([99], [0]), /There is no slot 99/);
  return answers;
}

/** Of answers: a difference in frames themselves keeps the reporter busy for minutes. */
const digest = (answers: AtariStep[]): string =>
  createHash('sha256')
    .update(serialize(answers.map((answer) => Object.values(answer))))
    .digest('hex');

test('over pipes as over TCP: steps, frames, moved episodes, errors', async () => {
  const [sleeping, waiting] = [await connect(0, cells()), await connect(0)];
  const played = await play(sleeping);
  assert.ok(played[3].frames.every((frame) => frame?.length === 210 * 160));
  assert.equal(digest(played), digest(await play(waiting)));
  await Promise.all([sleeping.close(), waiting.close()]);
  await assert.rejects(sleeping.step([0], [0]), { code: 'CLOSED' });
});

test('a thread that waits for one process has first asked the others', { skip: !linux }, async () => {
  const clients = [await connect(0, cells()), await connect(1, cells())];
  for (const client of clients) await client.reset([0], [1]);
  let asked = 0;
  /** How many had been asked when one answered. */
  const counts: number[] = [];
  await Promise.all(
    clients.map(async (client) => {
      for (let step = 0; step < 20; step++) {
        asked++;
        await client.step([0], [0]);
        counts.push(asked--);
      }
    }),
  );
  assert.deepEqual(counts, [...Array(39).fill(2), 1], 'the last one plays alone');
  await Promise.all(clients.map((client) => client.close()));
});

test('timers and sockets of a thread that plays have their turn', { skip: !linux }, async () => {
  const client = await connect(0, cells());
  await client.reset([0], [1]);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const end = performance.now() + 300;
  while (performance.now() < end) {
    if ((await client.step([0], [0])).terminated[0]) await client.reset([0], [1]);
  }
  clearInterval(timer);
  assert.ok(ticks >= 3, `${ticks} ticks`);
  await client.close();
});

/** A thread that plays for ever. It says that it does, and how that ended. */
function player(
  lane: number,
  messageTimeout: number,
): {
  worker: Worker;
  plays: Promise<void>;
  watch: BlockedThread;
  end: Promise<{ code?: OpenEnvErrorCode; message: string }>;
} {
  const watch = new BlockedThread(messageTimeout);
  const worker = new Worker(path.join(__dirname, 'playingWorker.js'), {
    workerData: { url: lanes[lane].url, options: { numEnvs: 1, options: OPTIONS, messageTimeout, wait: watch.cells } },
  });
  const said = <Message>(): Promise<Message> => new Promise((resolve) => worker.once('message', resolve));
  const plays = said<void>();
  return { worker, plays, watch, end: plays.then(() => said()) };
}

/** Files that a process has open. */
const filesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

test('nothing stays open: when a client is closed, and when its thread is ended', { skip: !linux }, async () => {
  const server = processAt(lanes[0].url);
  const before = [filesOf(process.pid), filesOf(server)];
  for (let i = 0; i < 5; i++) {
    const client = await connect(0, cells());
    await client.reset([0], [1]);
    await client.close();
  }
  const { worker, plays } = player(0, 60_000);
  await plays;
  assert.ok(filesOf(server) > before[1]);
  await worker.terminate();
  await eventually(() => filesOf(server) === before[1], 'the end of its connection');
  assert.equal(filesOf(process.pid), before[0]);
});

test('a process that dies while a thread waits: the thread is told', { skip: !linux }, async () => {
  const { plays, end } = player(1, 60_000);
  await plays;
  process.kill(processAt(lanes[1].url), 'SIGKILL');
  assert.equal((await end).code, 'CONNECTION_LOST');
  lanes = await atariProcesses(2);
});

test('a frozen process: its thread is notified in time, and a thread that is ended ends', {
  skip: !linux,
}, async () => {
  const [first, second] = [player(1, 500), player(1, 60_000)];
  await Promise.all([first.plays, second.plays]);
  const frozen = processAt(lanes[1].url);
  process.kill(frozen, 'SIGSTOP');
  const watch = setInterval(() => first.watch.check(), 25);
  const { message } = await first.end;
  clearInterval(watch);
  assert.match(message, /did not answer within 0\.5 s/);
  const ended = second.worker.terminate();
  second.watch.notify();
  await ended;
  process.kill(frozen, 'SIGCONT');
  const client = await connect(1);
  await client.reset([0], [1]);
  await client.close();
});

test('a process that stops within an answer, or says what is none', { skip: !linux }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'joylab-pipes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pipe = (name: string): number => {
    execFileSync('mkfifo', [path.join(folder, name)]);
    return openSync(path.join(folder, name), 'r+');
  };
  const length = (bytes: number): Buffer => Buffer.from(Uint32Array.of(bytes).buffer);
  const cases: [answer: Buffer, expected: RegExp | { answer: Uint8Array }][] = [
    [Buffer.concat([length(2), Buffer.from('ok')]), { answer: new Uint8Array(Buffer.from('ok')) }],
    [Buffer.concat([length(1000), Buffer.alloc(100)]), /TIMEOUT.*within 0\.3 s/],
    [length(1000).subarray(0, 2), /TIMEOUT.*within 0\.3 s/],
    [length(2 ** 31), /PROTOCOL_ERROR.*announces a message of 2147483648 bytes/],
  ];
  for (const [i, [answer, expected]] of cases.entries()) {
    const [requests, answers] = [pipe(`requests${i}`), pipe(`answers${i}`)];
    const thread = new BlockedThread(300);
    const options = { url: 'tcp://127.0.0.1:1', messageTimeout: 300, wait: thread.cells };
    const worker = new Worker(path.join(__dirname, 'askingWorker.js'), {
      workerData: { address: { pid: process.pid, requests, answers }, options },
    });
    const end = new Promise((resolve) => worker.once('message', resolve));
    const watch = setInterval(() => thread.check(), 25);
    writeSync(answers, answer);
    const outcome = await end;
    clearInterval(watch);
    if (expected instanceof RegExp) assert.match(Object.values(outcome as object).join(' '), expected);
    else assert.deepEqual(outcome, expected);
    await worker.terminate();
    closeSync(requests);
    closeSync(answers);
  }
});

test('pipes that cannot be opened: TCP does', async (t) => {
  const { Pipes } = await import('../../kernel/environments/atari/stream/pipes.js');
  const options = { url: lanes[0].url, messageTimeout: 1000, wait: cells() };
  assert.equal(Pipes.open({ pid: 2 ** 30, requests: 3, answers: 4 }, options), undefined);
  const file = path.join(__dirname, 'no pipe');
  writeFileSync(file, 'kept');
  const end = openSync(file, 'r+');
  t.after(() => (closeSync(end), rmSync(file)));
  assert.equal(Pipes.open({ pid: process.pid, requests: end, answers: end }, options), undefined);
  assert.equal(readFileSync(file, 'utf8'), 'kept');
  t.mock.method(Pipes, 'open', () => undefined);
  const client = await connect(0, cells());
  await client.reset([0], [1]);
  assert.equal((await client.step([0], [0])).rewards.length, 1);
  await client.close();
});
