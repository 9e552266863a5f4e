import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { atariProcesses } from '../../kernel/environments/atari/servers';
import { AtariClient, type AtariStep } from '../../kernel/environments/atari/stream';
import { eventually } from '../eventually';

const OPTIONS = { game: 'breakout' };

/** What a process answers to bytes: JSON, or `end` where the connection ends. */
function answer(url: string, bytes: Buffer): Promise<any> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    const tell = (what: unknown): void => (socket.destroy(), resolve(what));
    let received = Buffer.alloc(0);
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      if (received.length >= 4 && received.length >= 4 + received.readUInt32LE(0))
        tell(JSON.parse(String(received.subarray(4))));
    });
    socket
      .on('close', () => tell('end'))
      .on('error', () => tell('end'))
      .setTimeout(15_000, () => tell('silence'));
  });
}

/** A request with its length before it. */
function framed(content: string | Buffer, length = Buffer.byteLength(content)): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return Buffer.concat([head, Buffer.from(content)]);
}

const opening = (more: string) => framed(`{"num_envs":1,"options":{"game":"breakout"},${more}}`);

for (const [what, bytes, expected] of [
  [
    'a page that asks over HTTP',
    Buffer.from('POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n{"num_envs":1}'),
    'end',
  ],
  ['a page that opens a WebSocket', Buffer.from('GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n'), 'end'],
  ['4 GB', framed('{', 2 ** 32 - 1), 'end'],
  ['an opening of 1 MB', framed(' '.repeat(2 ** 20)), 'end'],
  ['an opening nested 30,000 deep', framed('['.repeat(30_000) + ']'.repeat(30_000)), /first request must be/],
  ['options nested 20,000 deep', opening(`"x":${'['.repeat(20_000)}${']'.repeat(20_000)}`), /first request must be/],
  ['nothing', framed(''), /first request must be/],
  ['no JSON', framed('{'), /first request must be/],
  ['what is not UTF-8', framed(Buffer.from([0x7b, 0xff, 0x7d])), /first request must be/],
  ['a list', framed('[1,2]'), /first request must be/],
  ['null', framed('null'), /first request must be/],
  ['NaN games', framed('{"num_envs":NaN,"options":{}}'), /first request must be/],
  ['1e400 games', framed('{"num_envs":1e400,"options":{}}'), /first request must be/],
  ['a million games', framed('{"num_envs":1000000,"options":{}}'), /num_envs must be a whole number from 1 to 256/],
  ['options that are a list', framed('{"num_envs":1,"options":[1]}'), /mapping/],
  ['options called self', framed('{"num_envs":1,"options":{"self":1}}'), /There is no option 'self'/],
] as const) {
  test(`a process answers ${what}, and plays on`, async () => {
    const [{ url }] = await atariProcesses(1);
    const client = await AtariClient.connect(url, { numEnvs: 1, options: OPTIONS });
    await client.reset([0], [1]);
    const said = await answer(url, bytes);
    if (expected === 'end') assert.equal(said, 'end');
    else assert.match(said.data.message, expected);
    assert.equal((await client.step([0], [0])).rewards.length, 1);
    await client.close();
  });
}

test('a process has room for 256 connections; one more is told so, and they make room as they end', async () => {
  const [{ url }] = await atariProcesses(1);
  const sockets = await Promise.all(
    Array.from(
      { length: 260 },
      () =>
        new Promise<ReturnType<typeof connect>>((resolve) => {
          const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(socket)).on('error', () => {});
        }),
    ),
  );
  const said = await answer(url, framed('{}'));
  assert.equal(said.data.code, 'CAPACITY_REACHED');
  for (const socket of sockets) socket.destroy();
  await eventually(
    () =>
      AtariClient.connect(url, { numEnvs: 1, options: OPTIONS })
        .then((client) => client.close())
        .then(
          () => true,
          () => false,
        ),
    'room',
  );
});

/** What a slot saw in an episode: memory, reward, lives, ends and the frames that were asked for. */
type Seen = Array<[ram: string, reward: number, lives: number, terminated: number, frame: string | null]>;

/**
 * Plays six slots from two seeds. What they do is the same for long and differs at times; one rests now and then,
 * one begins again in the middle.
 *
 * @param together whether they are reset in one request
 */
async function sixSlots(url: string, game: string, together: boolean): Promise<Seen[]> {
  const client = await AtariClient.connect(url, { numEnvs: 6, options: { game } });
  const seen: Seen[] = Array.from({ length: 6 }, () => []);
  const over = new Set<number>();
  const look = (slots: number[], { ram, rewards, lives, terminated, frames }: AtariStep): void =>
    slots.forEach((slot, i) => {
      const bytes = (data: Uint8Array) => Buffer.from(data).toString('base64');
      seen[slot].push([bytes(ram[i]), rewards[i], lives[i], terminated[i], frames[i] && bytes(frames[i])]);
      if (terminated[i]) over.add(slot);
    });
  const reset = async (slots: number[], seed: (slot: number) => number): Promise<void> => {
    for (const some of together ? [slots] : slots.map((slot) => [slot]))
      look(some, await client.reset(some, some.map(seed), { frames: 20 }));
    for (const slot of slots) over.delete(slot);
  };
  await reset([0, 1, 2, 3, 4, 5], (slot) => slot % 2);
  for (let step = 0; step < 160; step++) {
    if (step === 70) await reset([2, 3], () => 7);
    const slots = [0, 1, 2, 3, 4, 5].filter((slot) => !over.has(slot) && !(slot === 4 && step % 30 === 29));
    // Slot 0 does something of its own from step 25 on, slots 1 and 3 from step 50 on, 2 and 4 every 60th step.
    const own = (slot: number): number =>
      (slot === 0 && step > 25) || (slot % 2 && step > 50) ? slot : step % 60 === 59 ? slot : 0;
    const actions = slots.map((slot) => ((step >> 3) + own(slot)) % client.actions.length);
    look(slots, await client.step(slots, actions));
  }
  await client.close();
  return seen;
}

// Games of every kind: with a start of their own, and those whose states cannot be copied.
for (const game of ['breakout', 'space_invaders', 'qbert', 'miniature_golf', 'yars_revenge'])
  test(`${game}: slots that are the same for a while see what each sees alone`, async () => {
    const [{ url }] = await atariProcesses(1);
    const [shared, alone] = [await sixSlots(url, game, true), await sixSlots(url, game, false)];
    assert.deepEqual(shared, alone);
    assert.ok(shared[0].length > 100 && shared[0].some(([, , , , frame]) => frame), 'it played, and showed frames');
    assert.notDeepEqual(shared[0], shared[2]);
  });
