import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openenv } from '../../../kernel/environments';
import { Episode } from '../../../kernel/episodes/episode';
import { GRPOTrainer, type TrainingStep } from '../../../kernel/grpo';
import { openWriter, RolloutWriter, type ScoredBatch } from '../../../kernel/grpo/history/writer';
import { FastLanguageModel } from '../../../kernel/models';
import { episodeReturn, functionWorks } from '../../../kernel/rewards';
import { facts } from '../../grpo/history/fixtures';
import { openInPage } from './opening';

/** Steps of the real run; those of the finished one that is read, and the rollouts of each. */
const REAL_STEPS = 32;
const STEPS = 2000;
const GROUP = 32;

/** Prints what keeping rollouts costs, and how soon they are found again. */
export async function benchRollouts(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-bench-'));
  try {
    const steps = await realRun(folder);
    const file = join(folder, 'finished.db');
    finishedRun(file, steps);
    await openInPage(file, 'finished', STEPS >> 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trains on Breakout, and prints time and bytes of the rollouts. */
async function realRun(folder: string): Promise<TrainingStep[]> {
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({
    modelName: 'joylab/strategist',
    maxSeqLength: 512,
    loadIn4bit: false,
  });
  const peft = FastLanguageModel.getPeftModel(model, { r: 8, loraAlpha: 16, randomState: 1 });
  const env = await openenv('atari', { game: 'breakout' });
  const outputDir = join(folder, 'run');
  const steps: TrainingStep[] = [];
  const times = writeTimes();
  const trainer = new GRPOTrainer({
    model: peft,
    processingClass: tokenizer,
    env,
    rewardFuncs: [functionWorks, episodeReturn],
    args: { maxSteps: REAL_STEPS, numGenerations: GROUP, maxEpisodeSteps: 500, learningRate: 1e-4, seed: 1, outputDir },
    onStep: (step) => void steps.push(step),
  });
  await trainer.train();
  const stepTimes = trainer.logHistory.map(({ step_time }) => step_time * 1000);
  const bytes = statSync(join(outputDir, 'rollouts.db')).size;
  const [write, step] = [median(times), median(stepTimes)];
  console.log(`writing a step of ${GROUP}: median ${write.toFixed(1)} ms, worst ${Math.max(...times).toFixed(1)} ms`);
  console.log(`of a step of ${(step / 1000).toFixed(2)} s: ${((100 * write) / step).toFixed(2)} %`);
  console.log(`1,000 rollouts: ${Math.round((bytes / (REAL_STEPS * GROUP)) * 1000).toLocaleString('en')} bytes`);
  await trainer.dispose();
  await env.close();
  return steps;
}

/** Writes a run of thousands of distinct rollouts after those of a real one, and prints how soon one is read. */
function finishedRun(file: string, steps: readonly TrainingStep[]): void {
  const writer = openWriter(file, facts('finished', { replays: true }), Infinity);
  for (let step = 1; step <= STEPS; step++) writer.write(step, [distinct(steps[step % steps.length], step)]);
  writer.close();
  const script = join(__dirname, 'read.js');
  const times = Array.from({ length: 5 }, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return Number(stdout);
  });
  console.log(
    `${STEPS} steps × ${GROUP}, ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB: a rollout is read after ` +
      `${median(times).toFixed(0)} ms (runs, the run, its group, the rollout; median of ${times.length} processes)`,
  );
}

/** Returns rollouts like those of a step, each of them another. */
function distinct({ samples, rewards, advantages }: TrainingStep, step: number): ScoredBatch {
  return {
    samples: samples.map((sample, i) => {
      const { episode: played } = sample;
      // It can still be played again.
      const episode =
        played && new Episode({ ...played, end: { ...played.end, message: `${played.end.message} ${step}.${i}` } });
      const mark = `// ${step}.${i}\n`;
      return { ...sample, episode, completion: mark + sample.completion, code: sample.code && mark + sample.code };
    }),
    table: rewards,
    advantages,
    logprobs: samples.map(({ completionIds }) => completionIds.map((id) => -((id * step) % 97) / 50)),
    groupSize: GROUP,
    extra: new Map(),
  };
}

/** Measures each writing of a step from now on. */
function writeTimes(): number[] {
  const times: number[] = [];
  const { write } = RolloutWriter.prototype;
  RolloutWriter.prototype.write = function (...given) {
    const started = performance.now();
    write.apply(this, given);
    times.push(performance.now() - started);
  };
  return times;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
