import { display } from '../../display';
import { cellContext } from '../../display/cellContext';
import type { RewardRegistry } from '../../rewards/registry';
import { rewardsText } from '../rewardFuncs';

/**
 * Trains with the functions of a registry: shows what counts, and lets reward cells run
 * beside the training.
 *
 * @param weights of the run, which replace those of the functions: the panel could not change them
 */
export function trainWith<Result>(
  registry: RewardRegistry,
  weights: readonly number[] | null,
  train: () => Promise<Result>,
): Promise<Result> {
  const context = cellContext();
  if (registry.list().length > 0) {
    if (context.console || weights) console.log(rewardsText(registry.list(), weights));
    else display(registry);
  }
  return context.admitRewards?.(train) ?? train();
}
