import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { openenv } from '../../kernel/environments';
import { leaseServer } from '../../kernel/environments/atari/servers';
import { VectorClient } from '../../kernel/openenv';

/** The same numbers in every run. */
function randomNumbers(seed: number): (below: number) => number {
  return below => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

const MESSAGES = [
  '{"type":"reset","data":{"seed":1}}',
  '{"type":"step","data":{"action_id":1}}',
  '{"type":"state"}',
  '{"type":"mcp","data":{"jsonrpc":"2.0","id":1,"method":"tools/list"}}',
  '[]',
  'null',
  '{"type":{}}',
  '{"type":"step","data":{"action_id":1e400}}',
  '{"type":"reset","data":{"seed":-5,"episode_id":[1]}}',
];

/** A message with a few characters replaced, left out or doubled. */
function mutated(message: string, random: (below: number) => number): string {
  const text = [...message];
  for (let times = random(4); times > 0; times--) {
    const at = random(text.length);
    text.splice(at, random(2), String.fromCharCode(32 + random(200)));
  }
  return text.join('');
}

/** Sends messages to a route; connects again whenever the server hangs up. Waits for an answer or the end after each. */
async function send(url: string, messages: (string | Uint8Array)[]): Promise<void> {
  let socket: WebSocket | undefined;
  for (const message of messages) {
    if (socket?.readyState !== WebSocket.OPEN) {
      socket = new WebSocket(url);
      await new Promise(resolve => socket!.once('open', resolve));
    }
    socket.send(message);
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, 50);
      for (const event of ['message', 'close']) {
        socket!.removeAllListeners(event);
        socket!.once(event, () => (clearTimeout(timer), resolve()));
      }
    });
  }
  socket?.close();
}

test('1,000 mutated messages: the server lives and other sessions are unharmed', async () => {
  const env = await openenv('atari', { game: 'breakout' });
  const { server, release } = await leaseServer(env.options as any);
  const random = randomNumbers(7);
  const calm = async (): Promise<number[]> => {
    const result = await env.reset({ seed: 3 });
    const seen = [...result.observation.ram];
    for (let step = 0; step < 30; step++) seen.push(...(await env.step({ action_id: step % 3 })).observation.ram);
    return seen;
  };
  const before = await calm();
  await env.reset({ seed: 3 });

  const texts = Array.from({ length: 600 }, () => mutated(MESSAGES[random(MESSAGES.length)], random));
  const binaries = Array.from({ length: 400 }, () => Uint8Array.from({ length: random(40) }, () => random(4) ? random(3) : random(256)));
  const ws = server.url.replace('http', 'ws');
  await Promise.all([send(`${ws}/ws`, texts), send(`${ws}/vector?num_envs=2`, binaries)]);

  assert.equal(server.exit, undefined);
  assert.equal((await env.state()).step_count, 0);
  assert.deepEqual(await calm(), before);
  const client = await VectorClient.connect(server.url, { numEnvs: 2 });
  assert.deepEqual((await client.reset([1], [3])).ram[0], Uint8Array.from(before.slice(0, 128)));
  await client.close();
  await release();
  await env.close();
});
