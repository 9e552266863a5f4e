import { setCellContext } from '../../kernel/display/cellContext';
import { FastLanguageModel, type CausalLM } from '../../kernel/models';
import { SFTTrainer, type SFTConfig, type SFTTrainerOptions } from '../../kernel/sft';
import { chatPairs, pairs, texts } from './rows';

/** Sets a host that shows nothing. */
export function quietHost(): void {
  setCellContext({ display() {}, signal: new AbortController().signal, registerCommTarget() {} });
}

/** Loads the bundled model, with a new adapter unless `adapter` is false. */
export async function freshModel({ adapter = true } = {}): Promise<CausalLM> {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 128 });
  return adapter ? FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8 }) : model;
}

/** Settings of ten steps in two epochs, with a log entry every three. */
export const settings: SFTConfig = {
  maxSteps: 10,
  perDeviceTrainBatchSize: 2,
  gradientAccumulationSteps: 2,
  learningRate: 1e-3,
  warmupSteps: 2,
  loggingSteps: 3,
  weightDecay: 0.01,
  seed: 7,
};

export function newTrainer(model: CausalLM, args: SFTConfig = {}, more: Partial<SFTTrainerOptions> = {}): SFTTrainer {
  return new SFTTrainer({
    model,
    processingClass: model.tokenizer,
    trainDataset: [...texts, ...pairs, ...chatPairs.slice(0, 3)],
    args: { ...settings, ...args },
    ...more,
  });
}

/** Returns the outcome of a run: its metrics without times, and the trained weights. */
export function outcome(trainer: SFTTrainer): {
  log: Array<Record<string, number>>;
  weights: Record<string, Float32Array>;
} {
  const log = trainer.logHistory.map((entry) =>
    Object.fromEntries(Object.entries(entry).filter(([name]) => !/time|per_second/.test(name))),
  );
  const weights = [...trainer.model.trainableParameters()].map(([name, { data }]) => [name, data]);
  return { log, weights: Object.fromEntries(weights) };
}

/** Resolves to the outcome of an uninterrupted run. */
export async function uninterrupted(args: SFTConfig = {}, adapter = true): Promise<ReturnType<typeof outcome>> {
  const trainer = newTrainer(await freshModel({ adapter }), args);
  await trainer.train();
  await trainer.dispose();
  return outcome(trainer);
}
