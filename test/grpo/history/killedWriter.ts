/*
 * Writes steps of rollouts until it is killed in the middle of one:
 *
 *   node killedWriter.js FILE STEP
 */
import { openWriter } from '../../../kernel/grpo/history/writer';
import { batch, facts } from './fixtures';

const [file, last] = process.argv.slice(2);
const writer = openWriter(file, facts('killed'), 1000);
for (let step = 1; ; step++) {
  const rollouts = batch(step, 8);
  // The table is read while the step is written: the process ends within the transaction.
  if (step === Number(last))
    Object.defineProperty(rollouts.samples[5], 'completion', { get: () => process.kill(process.pid, 'SIGKILL') });
  writer.write(step, [rollouts]);
}
