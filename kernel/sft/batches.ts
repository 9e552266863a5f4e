import { chunks } from '../common/statistics';
import type { BatchOutcome, TokenBatch } from '../training/update/modelUpdate';
import type { Metrics } from '../training/metricsBuffer';
import { deriveSeed, permutation } from '../training/seeds';
import type { RunLength } from '../training/trainer';
import type { ResolvedSFTConfig } from './config';
import { isLearned, type Row } from './packing';

/** The settings that say which rows a step learns from. */
type BatchSettings = Pick<
  ResolvedSFTConfig,
  | 'maxSteps'
  | 'numTrainEpochs'
  | 'perDeviceTrainBatchSize'
  | 'gradientAccumulationSteps'
  | 'trainSamplingStrategy'
  | 'seed'
>;

/** Returns the length of a run over `rows` rows, in steps. The last step of an epoch takes the rows that are left. */
export function supervisedRunLength(
  rows: number,
  { maxSteps, numTrainEpochs, perDeviceTrainBatchSize, gradientAccumulationSteps }: BatchSettings,
): Omit<RunLength, 'evaluates'> {
  const batches = Math.ceil(rows / perDeviceTrainBatchSize);
  const stepsPerEpoch = Math.ceil(batches / gradientAccumulationSteps);
  return {
    stepsPerEpoch,
    totalSteps: maxSteps > 0 ? maxSteps : Math.ceil(numTrainEpochs * stepsPerEpoch),
    // The last step of a pass may have fewer micro-batches than the others.
    epochAt: (step) =>
      Math.floor(step / stepsPerEpoch) + ((step % stepsPerEpoch) * gradientAccumulationSteps) / batches,
  };
}

/** Returns the micro-batches of a step as indices of rows, which follow from step and seed alone. */
export function microBatches(step: number, rows: number, settings: BatchSettings): number[][] {
  const { perDeviceTrainBatchSize: size, gradientAccumulationSteps: count, trainSamplingStrategy, seed } = settings;
  const { stepsPerEpoch } = supervisedRunLength(rows, settings);
  const epoch = Math.floor(step / stepsPerEpoch);
  const order =
    trainSamplingStrategy === 'random'
      ? permutation(rows, deriveSeed(seed, 'dataset', epoch))
      : Array.from({ length: rows }, (_, i) => i);
  const start = (step % stepsPerEpoch) * size * count;
  return chunks(order.slice(start, start + size * count), size);
}

/** Returns the number of tokens in rows that are learned. */
export function learnedTokens(rows: readonly Row[]): number {
  return rows.flat().reduce((sum, { learned }) => sum + learned.filter((value, i) => value && i > 0).length, 0);
}

/** Returns the number of tokens in rows, learned or not. */
export function allTokens(rows: readonly Row[]): number {
  return rows.flat().reduce((sum, { ids }) => sum + ids.length, 0);
}

/**
 * Returns rows as the update takes them: what stands before the first learned token is
 * a prompt, which equal rows share; what stands after the last is left out.
 *
 * @param share weight of each learned token in the loss
 */
export function tokenBatch(rows: readonly Row[], share: number): TokenBatch {
  const batch = { promptIds: [] as number[][], completionIds: [] as number[][], promptOf: [] as number[] };
  const weights: Float32Array[] = [];
  const known = new Map<string, number>();
  for (const { ids, learned } of rows.flat().filter(isLearned)) {
    const start = learned.indexOf(true, 1);
    const end = learned.lastIndexOf(true) + 1;
    const prompt = ids.slice(0, start);
    const key = prompt.join(' ');
    if (!known.has(key)) known.set(key, batch.promptIds.push(prompt) - 1);
    batch.promptOf.push(known.get(key)!);
    batch.completionIds.push(ids.slice(start, end));
    weights.push(Float32Array.from(learned.slice(start, end), (value) => (value ? share : 0)));
  }
  return { ...batch, tokens: { weights } };
}

/**
 * Returns loss, entropy (in nats) and token accuracy (0 to 1) of a batch, by TRL's
 * names: means over the learned tokens (of the loss: its weighted sum).
 */
export function batchMetrics({ loss, tokens }: BatchOutcome, { tokens: { weights } }: TokenBatch): Metrics {
  let [count, entropy, correct] = [0, 0, 0];
  weights.forEach((row, i) => {
    for (let t = 0; t < row.length; t++) {
      if (row[t] === 0) continue;
      count++;
      entropy += tokens.entropies[i][t];
      correct += tokens.correct[i][t];
    }
  });
  return { loss, entropy: entropy / count, mean_token_accuracy: correct / count };
}
