import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestKernel } from './client';

const MESSAGES = 10_000;
const SEED = 20261122;
/** Messages after which the main thread is waited for: a loaded machine works for minutes on all of them. */
const ROUND = 250;

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TYPES = [
  'execute_request',
  'complete_request',
  'inspect_request',
  'is_complete_request',
  'history_request',
  'comm_info_request',
  'comm_open',
  'comm_msg',
  'comm_close',
  'kernel_info_request',
  'interrupt_request',
  'input_reply',
  'debug_request',
  '',
  '__proto__',
];
const KEYS = [
  'code',
  'cursor_pos',
  'silent',
  'user_expressions',
  'comm_id',
  'target_name',
  'data',
  'hist_access_type',
  'pattern',
  'n',
  'start',
  'stop',
  'session',
  'detail_level',
  'value',
  '__proto__',
  'stop_on_error',
];
const VALUES = [
  null,
  true,
  -1,
  0,
  1e300,
  '',
  'search',
  'tail',
  'range',
  'let = ;',
  '/** @reward',
  '@',
  '\ud800',
  '*'.repeat(50),
  '(((',
  [],
  {},
  { a: { b: [] } },
  ['x'],
  '1 + 1',
];

/** Waits until a cell runs. One that waits behind a failing one is aborted: the next attempt comes later in the queue. */
async function runs(): Promise<void> {
  for (let status = 'aborted'; status === 'aborted'; ) status = (await kernel.execute('1')).reply.content.status;
}

test(`${MESSAGES} mutated messages: the kernel lives and answers the next cell`, { timeout: 600_000 }, async () => {
  const random = randomNumbers(SEED);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)];
  const json = (): string => {
    if (random() < 0.1) return pick(['{', '[]', 'null', '"x"', '', '\0']);
    return JSON.stringify(
      Object.fromEntries(Array.from({ length: Math.floor(random() * 5) }, () => [pick(KEYS), pick(VALUES)])),
    );
  };
  for (let i = 0; i < MESSAGES; i++) {
    const header =
      random() < 0.1
        ? json()
        : JSON.stringify({
            msg_id: `m${i}`,
            session: 's',
            username: 'u',
            date: '',
            version: '5.5',
            msg_type: pick(TYPES),
          });
    const parts = [header, random() < 0.9 ? '{}' : json(), random() < 0.9 ? '{}' : json(), json()].map((part) =>
      Buffer.from(part),
    );
    const frames: Buffer[] = [Buffer.from('<IDS|MSG>'), Buffer.from(kernel.signer.sign(parts)), ...parts];
    if (random() < 0.2) frames.push(Buffer.from([1, 2, 3]));
    if (random() < 0.1) frames.splice(Math.floor(random() * frames.length), 1);
    if (random() < 0.1) {
      const frame = pick(frames);
      if (frame.length > 0) frame[Math.floor(random() * frame.length)] ^= 1 << Math.floor(random() * 8);
    }
    await kernel[pick(['shell', 'shell', 'shell', 'control', 'stdin'] as const)].send(frames);
    if (i % ROUND === ROUND - 1) await runs();
  }
  await runs();
  assert.equal(await kernel.run('6 * 7'), '42');
});
