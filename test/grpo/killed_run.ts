/*
 * A training run in a process of its own, for the tests that kill it:
 *
 *   node killed_run.js '{"args": {…}, "model": {"adapter": true}}' OUTCOME
 *
 * It goes on from the newest checkpoint, where there is one, prints a line per
 * step, and writes what the run comes to.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { freshModel, newTrainer, outcomeJson, quietHost } from './runs';

async function main(): Promise<void> {
  const { args, model } = JSON.parse(process.argv[2]);
  quietHost();
  const started = existsSync(args.outputDir) && readdirSync(args.outputDir).some((name) => name.startsWith('checkpoint-'));
  const onStep = ({ step }: { step: number }) => void process.stdout.write(`step ${step}\n`);
  const trainer = newTrainer(await freshModel(model), { ...args, resumeFromCheckpoint: started }, { onStep });
  await trainer.train();
  writeFileSync(process.argv[3], outcomeJson(trainer));
}

main();
