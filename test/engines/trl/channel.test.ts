import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { Channel, WorkerError, WorkerLost } from '../../../kernel/engines/trl/channel';
import { encodeFrame } from '../../../kernel/engines/trl/protocol';

/** A connection to each of two processes, whose main one says to its first command that it cannot. */
async function pair(): Promise<{ channel: Channel; main: Socket; close(): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const far: Socket[] = [];
  const near: Socket[] = [];
  for (let rank = 0; rank < 2; rank++) {
    near.push(connect(port, '127.0.0.1'));
    far.push((await once(server, 'connection'))[0] as Socket);
  }
  far.forEach((socket) => socket.on('error', () => undefined));
  far[0].once('data', () =>
    far[0].write(encodeFrame({ type: 'answer', id: 1, error: 'Connection reset by peer', kind: 'RuntimeError' })),
  );
  const close = () => {
    for (const socket of [...near, ...far]) socket.destroy();
    server.close();
  };
  return { channel: new Channel(near), main: near[0], close };
}

test('what a process says of the end of another is no answer, also where it comes first', async () => {
  const { channel, main, close } = await pair();
  const step = channel.command('step');
  await once(main, 'data');
  channel.ending();
  setTimeout(() => channel.end(new WorkerLost('The one of rank 1 ended.')), 2500);
  await assert.rejects(step, new WorkerLost('The one of rank 1 ended.'));
  close();
});

test('an error of processes that all live is the answer', async () => {
  const { channel, close } = await pair();
  await assert.rejects(channel.command('step'), new WorkerError('Connection reset by peer', 'RuntimeError'));
  close();
});
