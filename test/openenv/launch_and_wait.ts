import { openenv } from '../../kernel/environments';
import { atariProcesses, acquireServer } from '../../kernel/environments/atari/servers';

/** Opens an environment and starts an Atari process, prints the addresses of their servers, and waits to be killed. */
async function main(): Promise<void> {
  const env = await openenv('atari', { game: 'breakout' });
  const [atariProcess] = await atariProcesses(1);
  const { server } = await acquireServer(env.options as any);
  process.stdout.write(`${JSON.stringify([server.url, atariProcess.url])}\n`);
  setInterval(() => {}, 1000);
}

void main();
