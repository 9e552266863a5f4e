/*
 * What people look at: `npm run bench -- view [rollouts]`.
 *
 * rollouts: a real run on Breakout keeps its rollouts: how long a step's takes to
 * write beside the step, and the bytes of 1,000; then the time until a rollout of
 * a finished run of 2,000 steps × 32 is read, in a process that has read nothing.
 */
import { benchRollouts } from './view/rollouts';

async function main(): Promise<void> {
  await benchRollouts();
}

if (require.main === module) void main();
