import { stepInterval, type ResolvedArguments } from './arguments';
import type { TrainerControl } from './callbacks';
import type { RunLength } from './trainerParts';

/** What follows from a step (counted from 1) by the settings: log, evaluation, checkpoint. */
export function dueAfter(
  step: number,
  { totalSteps, stepsPerEpoch }: RunLength,
  config: ResolvedArguments,
  canEvaluate: boolean,
): TrainerControl {
  const { loggingSteps, loggingFirstStep, evalStrategy, evalSteps, saveStrategy, saveSteps, outputDir } = config;
  const last = step === totalSteps;
  const every = (setting: number) => step % stepInterval(setting, totalSteps) === 0;
  const epochEnds = last || Math.floor(step / stepsPerEpoch) > Math.floor((step - 1) / stepsPerEpoch);
  const evaluates = { no: false, steps: every(evalSteps ?? loggingSteps) || last, epoch: epochEnds };
  const saves = { no: false, steps: every(saveSteps) || last, epoch: epochEnds };
  return {
    shouldTrainingStop: false,
    shouldLog: every(loggingSteps) || last || (loggingFirstStep && step === 1),
    shouldEvaluate: canEvaluate && evaluates[evalStrategy],
    shouldSave: outputDir !== null && saves[saveStrategy],
  };
}
