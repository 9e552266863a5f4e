import { freshModel, newTrainer, quietHost } from '../grpo/fixtures';

// A run that is reported to Trackio, whose process is killed after two steps: see tracking.test.ts.

async function main(): Promise<void> {
  quietHost();
  const kill = ({ step }: { step: number }) => void (step === 2 && process.kill(process.pid, 'SIGKILL'));
  await newTrainer(
    await freshModel(),
    { maxSteps: 4, reportTo: 'trackio', runName: 'killed' },
    { onStep: kill },
  ).train();
}

void main();
