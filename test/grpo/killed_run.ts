/*
 * A training run in a process of its own, for the tests that kill it:
 *
 *   node killed_run.js '{"args": {…}, "model": {"adapter": true}, "moment": {"writing": 6}}' OUTCOME
 *
 * It goes on from the newest checkpoint, where there is one, and writes what the
 * run comes to. It kills itself: from outside, on a busy machine, it might come
 * too late.
 */
import * as fs from 'node:fs';
import type { GRPOConfig } from '../../kernel/grpo';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import { episodeReturn, functionWorks } from '../../kernel/rewards';
import { freshModel, newTrainer, outcomeJson, quietHost } from './fixtures';

/** When the process is killed: some milliseconds after a step, or while it writes the checkpoint of a step. */
export type Moment = { step: number; milliseconds: number } | { writing: number };

async function main(): Promise<void> {
  const { args, model, game, moment } = JSON.parse(process.argv[2]) as {
    args: GRPOConfig & { outputDir: string };
    model: Parameters<typeof freshModel>[0];
    game?: 'breakout';
    moment?: Moment;
  };
  quietHost();
  const played = game ? await playing(game) : null;
  const started =
    fs.existsSync(args.outputDir) && fs.readdirSync(args.outputDir).some((name) => name.startsWith('checkpoint-'));
  const kill = () => process.kill(process.pid, 'SIGKILL');
  const onStep = ({ step }: { step: number }) => {
    if (moment && 'step' in moment && step === moment.step) setTimeout(kill, moment.milliseconds);
  };
  if (moment && 'writing' in moment)
    killAtFlush(
      () => fs.readdirSync(args.outputDir).some((name) => name.startsWith(`.checkpoint-${moment.writing}.partial`)),
      kill,
    );
  const trainer = newTrainer(
    await freshModel(model),
    { ...args, resumeFromCheckpoint: started },
    { ...played, onStep },
  );
  await trainer.train();
  fs.writeFileSync(process.argv[3], outcomeJson(trainer));
  await played?.env.close();
}

/** Returns the options of a run that plays a game, rewarded by its score. */
export async function playing(game: 'breakout') {
  const env = (await openenv('atari', { game })) as AtariEnvironment;
  return { env, trainDataset: undefined, rewardFuncs: [functionWorks, episodeReturn] };
}

/** Kills the process while it flushes the files of a checkpoint, before they are renamed. */
function killAtFlush(now: () => boolean, kill: () => void): void {
  const flush = fs.fsyncSync;
  require('node:fs').fsyncSync = (file: number) => (now() && kill(), flush(file));
}

if (require.main === module) main();
