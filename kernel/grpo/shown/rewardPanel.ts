import { cellContext } from '../../display/cellContext';
import type { TrainingOutput } from '../../display/training/training';
import { rewardsData } from '../../rewards/panel/panel';
import { offerPanel } from '../../rewards/panel/server';
import type { RewardRegistry } from '../../rewards/registry';
import { rewardsText } from '../rewardFuncs';

/**
 * Trains with the functions of a registry: its output shows what counts, and reward cells
 * run beside the training.
 *
 * @param weights of the run, which replace those of the functions: the panel could not change them
 */
export function trainWith<Result>(
  registry: RewardRegistry,
  weights: readonly number[] | null,
  output: TrainingOutput,
  train: () => Promise<Result>,
): Promise<Result> {
  const context = cellContext();
  const shows = !context.console && !weights;
  if (!shows && registry.list().length > 0) console.log(rewardsText(registry.list(), weights));
  const id = shows ? offerPanel(registry) : '';
  output.rewards = shows ? () => rewardsData(id, registry.list(), registry.recentRollouts) : null;
  if (!shows) delete output.data.rewards;
  return context.admitRewards?.(train) ?? train();
}
