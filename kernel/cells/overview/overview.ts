import type { OverviewData } from '../../display/overview';
import { notebook } from '../../grpo/session';
import { offerPanel } from '../../rewards/panel/server';
import type { Variables } from '../variables';
import { environmentRows } from './environments';
import { runRows } from './runs';

/** Returns what the side panel shows of a notebook. */
export function overviewOf(variables: Variables): OverviewData {
  const { rewardRegistry } = notebook;
  return {
    environments: environmentRows(variables),
    rewards: rewardRegistry.list().length > 0 ? offerPanel(rewardRegistry) : null,
    runs: runRows(),
  };
}
