import assert from 'node:assert/strict';
import { text, type TestKernel } from '../client';

/** How an interrupt reaches the kernel: Jupyter's message, SIGINT to its process, or to its process group, as Ctrl-C in a terminal. */
export type Way = 'message' | 'signal' | 'group';

/** Starts a cell, interrupts it when it printed "started", and returns how long it took to stop, in milliseconds. */
export async function interruptCell(
  kernel: TestKernel,
  code: string,
  how: Way = 'message',
): Promise<{ ms: number; output: string }> {
  const id = kernel.send('shell', 'execute_request', { code: `console.log('started');\n${code}` });
  await kernel.published(
    (it) => it.parentHeader.msg_id === id && String(it.content.text).startsWith('started'),
    'the start',
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  const start = performance.now();
  if (how === 'signal') kernel.process.kill('SIGINT');
  else if (how === 'group') process.kill(-kernel.process.pid!, 'SIGINT');
  else await kernel.request('control', 'interrupt_request');
  const { reply, outputs } = await kernel.finish(id);
  const ms = performance.now() - start;
  assert.equal(reply.content.status, 'error');
  assert.equal(reply.content.ename, 'KeyboardInterrupt');
  return { ms, output: text(outputs) };
}
