/** A thread that plays a game for ever, blocked between its steps. It says when it does, and how it ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { AtariClient } from '../../kernel/environments/atari/stream';

void (async () => {
  const { url, options } = workerData;
  const client = await AtariClient.connect(url, options);
  try {
    await client.reset([0], [1]);
    parentPort!.postMessage('plays');
    for (;;) {
      if ((await client.step([0], [0])).terminated[0]) await client.reset([0], [1]);
    }
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    parentPort!.postMessage({ code, message });
  }
})();
