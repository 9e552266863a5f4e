import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { GRPOConfig } from '../../kernel/grpo';
import { playing, type Moment } from './killed_run';
import { freshModel, newTrainer, outcomeJson, quietHost, temporaryFolder } from './fixtures';

before(quietHost);

interface Run {
  args: GRPOConfig;
  model: Parameters<typeof freshModel>[0];
  /** What strategies play; without one completions are scored as text. */
  game?: 'breakout';
  outputDir: string;
  outcome: string;
}

/** Starts (or goes on with) a run, whose process is killed at a moment; without one it ends by itself. @returns the signal that ended it */
function start({ args, model, game, outputDir, outcome }: Run, moment?: Moment): Promise<string | null> {
  const child = spawn(
    process.execPath,
    [join(__dirname, 'killed_run.js'), JSON.stringify({ args: { ...args, outputDir }, model, game, moment }), outcome],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let errors = '';
  child.stderr.on('data', (data) => (errors += data));
  return new Promise((resolve, reject) =>
    child.on('close', (code, signal) => (code ? reject(new Error(errors)) : resolve(signal))),
  );
}

/** Three rows, so that kills come in the middle of a pass; a schedule; two updates per generation. */
const args: GRPOConfig = { maxSteps: 10, numIterations: 2, lrSchedulerType: 'cosine', warmupSteps: 2, loggingSteps: 3 };

const cases: Array<Pick<Run, 'args' | 'model' | 'game'> & { title: string; kills: Moment[] }> = [
  {
    title: 'an adapter with dropout, checkpoints of every other step',
    args: { ...args, saveSteps: 2, beta: 0.1, saveTotalLimit: 2 },
    model: { loraDropout: 0.1 },
    kills: [{ step: 3, milliseconds: 17 }, { writing: 6 }, { step: 7, milliseconds: 0 }],
  },
  {
    title: 'all weights, a reference model that follows, a checkpoint of each step',
    args: { ...args, saveSteps: 1, beta: 0.2, syncRefModel: true, refModelSyncSteps: 3, learningRate: 1e-4 },
    model: { adapter: false },
    kills: [{ step: 4, milliseconds: 29 }, { writing: 7 }],
  },
  {
    title: 'micro-batches of several generations, a steered entropy bonus',
    args: {
      ...args,
      numIterations: 1,
      saveSteps: 3,
      perDeviceTrainBatchSize: 2,
      stepsPerGeneration: 6,
      gradientAccumulationSteps: 2,
      useAdaptiveEntropy: true,
      entropyCoef: 0.01,
      entropyTarget: 3,
    },
    model: {},
    kills: [{ step: 5, milliseconds: 8 }, { writing: 9 }],
  },
  {
    title: 'refinement, two updates per generation, migrations, a small archive',
    args: {
      maxSteps: 8,
      learningRate: 1e-3,
      seed: 7,
      maxCompletionLength: 96,
      maxEpisodeSteps: 60,
      numGenerations: 4,
      numIterations: 2,
      saveSteps: 1,
      refinement: { archiveSize: 8, migrationInterval: 2, validationEpisodes: 12 },
    },
    model: { maxSeqLength: 384 },
    game: 'breakout',
    kills: [{ step: 3, milliseconds: 300 }, { writing: 6 }],
  },
];

for (const { title, args, model, game, kills } of cases) {
  test(`a run whose process is killed, and killed again, ends bit for bit as one that was not: ${title}`, async () => {
    const folder = temporaryFolder();
    const run: Run = {
      args,
      model,
      game,
      outputDir: join(folder, 'checkpoints'),
      outcome: join(folder, 'outcome.json'),
    };
    mkdirSync(run.outputDir);
    for (const moment of kills) {
      assert.equal(await start(run, moment), 'SIGKILL', `the process ended before ${JSON.stringify(moment)}`);
      if ('writing' in moment)
        assert.ok(
          readdirSync(run.outputDir).some((name) => name.startsWith(`.checkpoint-${moment.writing}.partial`)),
          'the checkpoint is not whole',
        );
    }
    assert.equal(await start(run), null);
    const played = game ? await playing(game) : null;
    const whole = newTrainer(await freshModel(model), args, played ?? {});
    await whole.train();
    assert.equal(readFileSync(run.outcome, 'utf8'), outcomeJson(whole));
    await whole.dispose();
    await played?.env.close();
  });
}
