/*
 * What people look at: `npm run bench -- view [start] [notebook] [wall] [live] [training] [rollouts]`.
 *
 * start: JavaScript that a page loads before there is any output.
 * notebook: bytes of a notebook per 1,000 frames, without loss.
 * wall: pictures per second of 6, 16 and 64 games side by side, in a page that does
 * nothing else; the main thread's share, long tasks.
 * live: what a group that plays costs while somebody looks on: seconds, processor time
 * and bytes of 16 games in this process, then in JupyterLab, seen and hidden in turn.
 * training: a page as for wall while a model trains, and while a run of 2,000 steps goes on.
 * rollouts: a real run on Breakout keeps its rollouts: how long a step's takes to
 * write beside the step, and the bytes of 1,000; then the time until a rollout of
 * a finished run of 2,000 steps × 32 is read, in a process that has read nothing,
 * and until it is shown after a click on its tile in JupyterLab: its program with what
 * it was worth, a frame, every step with the lines that decided.
 */
import { live } from './view/live';
import { notebook } from './view/notebook';
import { benchRollouts as rollouts } from './view/rollouts';
import { start } from './view/start';
import { training } from './view/training';
import { wall } from './view/wall';

/** Each part prints a table. */
const PARTS: Record<string, () => Promise<void>> = { start, notebook, wall, live, training, rollouts };

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !(name in PARTS));
  if (unknown !== undefined)
    throw new Error(`The benchmark view has no part ${unknown}. Its parts: ${Object.keys(PARTS).join(', ')}.`);
  for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
    console.log(`\n${name}\n`);
    await PARTS[name]();
  }
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
