import { openenv } from '../../kernel/environments';
import { atariLanes, leaseServer } from '../../kernel/environments/atari/servers';

/** Opens an environment and a lane, prints its server's process ID, and waits to be killed. */
async function main(): Promise<void> {
  const env = await openenv('atari', { game: 'breakout' });
  await atariLanes(1);
  const { server } = await leaseServer(env.options as any);
  process.stdout.write(`${server.pid}\n`);
  setInterval(() => {}, 1000);
}

void main();
