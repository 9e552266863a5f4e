import * as path from 'node:path';
import type { TrainingData } from '../../kernel/display/mime';
import { trainingBundle } from '../../kernel/display/training/trainingBundle';
import { openenv } from '../../kernel/environments';
import { openWriter } from '../../kernel/grpo/history/writer';
import { executeWithTimeLimit } from '../../kernel/rollout';
import { batch, facts } from '../grpo/history/fixtures';
import { writeNotebook } from './notebooks';

const code = `function strategy(state) {
  if (state.ball_x < state.paddle_x) return 'LEFT';
  return 'RIGHT';
}`;

/** Saves a notebook `run.ipynb` that shows a finished run, and the rollouts of two runs, whose best have played Breakout. */
export async function writeRuns(folder: string): Promise<void> {
  const env = await openenv('atari', { game: 'breakout' });
  const episode = await executeWithTimeLimit(code, env, { seed: 4, maxSteps: 60 });
  await env.close();
  const file = path.join(folder, 'out', 'rollouts.db');
  for (const [runId, learningRate] of [
    ['first', 1e-5],
    ['second', 1e-4],
  ] as const) {
    const writer = openWriter(file, facts(runId, { replays: true, settings: { learningRate, seed: 1 } }), 1000);
    for (let step = 1; step <= 5; step++) {
      const rollouts = batch(step, 8);
      for (const i of [6, 7]) Object.assign(rollouts.samples[i], { episode, code });
      writer.write(step, [rollouts]);
      writer.log({ step, reward: step * learningRate, loss: 0 });
    }
    writer.close();
  }
  writeNotebook(folder, 'run.ipynb', [{ source: '/** @grpo */', outputs: [trainingBundle(run())] }]);
}

function run(): TrainingData {
  const log = [1, 2, 3, 4, 5].map((step) => ({ step, reward: step, loss: 0 }));
  const rollouts = 'out/rollouts.db';
  return {
    version: 1,
    runId: 'second',
    status: 'finished',
    step: 5,
    maxSteps: 5,
    rewardNames: ['scores'],
    log,
    events: [],
    rollouts,
  };
}
