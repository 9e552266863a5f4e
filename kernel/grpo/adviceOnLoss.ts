import type { ResolvedConfig } from './config';

/** What speaks against a loss with this level of importance sampling, as TRL says it too; null: nothing. */
export function adviceOnLoss({
  lossType,
  importanceSamplingLevel: level,
}: Pick<ResolvedConfig, 'lossType' | 'importanceSamplingLevel'>): string | null {
  if (lossType === 'luspo' && level !== 'sequence')
    return "GRPOConfig: the 'luspo' loss is meant for importanceSamplingLevel: 'sequence', as in its paper.";
  if (lossType === 'vespo' && level !== 'token') {
    return "GRPOConfig: the 'vespo' loss weights whole sequences by itself; it is meant for importanceSamplingLevel: 'token', the default.";
  }
  if (level === 'sequence' && ['bnpo', 'dr_grpo', 'dapo', 'cispo'].includes(lossType)) {
    return (
      `GRPOConfig: with importanceSamplingLevel: 'sequence' the '${lossType}' loss sums over tokens, so that long completions count more. ` +
      "The setup of the GSPO paper is lossType: 'grpo'."
    );
  }
  return null;
}
