import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setCellContext } from '../../kernel/display/cellContext';
import { TRAINING_MIME, type TrainingData } from '../../kernel/display/mime';
import type { GRPOConfig } from '../../kernel/grpo';
import { GRPOTrainer, type GRPOTrainerOptions } from '../../kernel/grpo/trainer';
import { FastLanguageModel } from '../../kernel/models';
import type { CausalLM } from '../../kernel/models';
import type { Sample } from '../../kernel/rewards/sample';

/** Prompts of the tests: text alone, without an environment. */
export const dataset = ['pong', 'boxing', 'tennis'].map((game) => ({
  prompt: [{ role: 'user', content: `Write a short TypeScript function strategy(state) that plays ${game}.` }],
}));

/** Settings of short steps that still change the weights. */
export const settings: GRPOConfig = {
  maxSteps: 6,
  numGenerations: 4,
  maxCompletionLength: 12,
  learningRate: 1e-3,
  seed: 7,
};

/** Returns a reward that differs between completions. */
export function letters({ completion }: Sample): number {
  return completion.length / 10;
}
export function returns({ completion }: Sample): number | null {
  return completion.includes('return') ? 1 : null;
}

/** Sets a host that shows nothing. */
export function quietHost(): void {
  setCellContext({ display() {}, signal: new AbortController().signal, registerCommTarget() {} });
}

/** A host as {@link quietHost}. Returns what tells the marks on the charts of the newest run. */
export function watchingHost(): () => string[] {
  let newest: TrainingData | undefined;
  setCellContext({
    display: (bundle) => void (newest = (bundle[TRAINING_MIME] as TrainingData | undefined) ?? newest),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  return () => newest?.events.map(({ step, text }) => `step ${step}: ${text}`) ?? [];
}

/** Loads the bundled model, with a new adapter unless `adapter` is false. */
export async function freshModel({
  adapter = true,
  loraDropout = 0,
  loadIn4bit = false,
  loadIn8bit = false,
  maxSeqLength = 128,
} = {}): Promise<CausalLM> {
  const { model } = await FastLanguageModel.fromPretrained({
    modelName: 'joylab/strategist',
    maxSeqLength,
    loadIn4bit,
    loadIn8bit,
  });
  return adapter ? FastLanguageModel.getPeftModel(model, { r: 4, loraAlpha: 8, loraDropout }) : model;
}

export function newTrainer(
  model: CausalLM,
  args: GRPOConfig = {},
  more: Partial<GRPOTrainerOptions> = {},
): GRPOTrainer {
  return new GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    rewardFuncs: [letters, returns],
    trainDataset: dataset,
    args: { ...settings, ...args },
    ...more,
  });
}

/** Returns the outcome of a run: its metrics without times, and the trained weights. */
export function outcome(trainer: GRPOTrainer): {
  log: Array<Record<string, number>>;
  weights: Record<string, Float32Array>;
} {
  const log = trainer.logHistory.map(({ step_time, ...metrics }) => metrics);
  const weights = [...trainer.model.trainableParameters()].map(([name, { data }]) => [name, data]);
  return { log, weights: Object.fromEntries(weights) };
}

/** Resolves to the outcome of an uninterrupted run. */
export async function uninterrupted(args: GRPOConfig = {}, adapter = true): Promise<ReturnType<typeof outcome>> {
  const trainer = newTrainer(await freshModel({ adapter }), args);
  await trainer.train();
  const result = outcome(trainer);
  await trainer.dispose();
  return result;
}

/** Returns a folder that is removed after the tests of a file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-grpo-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Returns the outcome of a run as text that is equal only where every bit is. */
export function outcomeJson(trainer: GRPOTrainer): string {
  const { log, weights } = outcome(trainer);
  const bits = Object.entries(weights).map(([name, { buffer, byteOffset, byteLength }]) => [
    name,
    createHash('sha256')
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest('hex'),
  ]);
  const timeless = log.map((entry) =>
    Object.fromEntries(Object.entries(entry).filter(([name]) => !/runtime|per_second/.test(name))),
  );
  const programs =
    trainer.programs.size > 0 ? { programs: trainer.programs.ranking(Infinity), winner: trainer.programs.winner } : {};
  return JSON.stringify({ log: timeless, weights: Object.fromEntries(bits), ...programs }, null, 1);
}
