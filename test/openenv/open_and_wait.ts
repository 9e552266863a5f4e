import { openenv } from '../../kernel/environments';

/** Opens the target of its argument, prints the server's address, and waits to be killed. */
async function main(): Promise<void> {
  const env = await openenv(process.argv[2], { from: 'python' });
  process.stdout.write(`${env.url}\n`);
  setInterval(() => {}, 1000);
}

void main();
