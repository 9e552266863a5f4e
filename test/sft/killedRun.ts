/* A run that kills its process, as a crash would: `killedRun.js FOLDER STEP`. */
import { freshModel, newTrainer, quietHost } from './fixtures';

quietHost();
const [outputDir, step] = process.argv.slice(2);
const onStepBegin = ({ state }: { state: { globalStep: number } }) =>
  void (state.globalStep === Number(step) && process.kill(process.pid, 'SIGKILL'));
void freshModel().then((model) =>
  newTrainer(model, { outputDir, saveSteps: 1 }, { callbacks: [{ onStepBegin }] }).train(),
);
