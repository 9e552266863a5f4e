import type { HumanPlay, RecordedPlay } from '../../environments/play/recorder';
import type { RolloutEnvironment } from '../../environments/environment';
import type { Episode } from '../../episodes/episode';
import { score, weightedSum } from '../../rewards/scoring';
import { knownReferenceReturns } from '../../rollout/reference';
import { playActions } from '../../rollout/replay';
import { notebook } from '../session';

/** An environment that keeps what people play in it. */
type Played = RolloutEnvironment & { played?: Episode[] };

/** Records an episode that a person played, as any other, keeps it in `env.played`, and scores it with the notebook's reward functions. */
export async function recordPlayed(environment: Played, { seed, actions }: HumanPlay): Promise<RecordedPlay> {
  const episode = await playActions(environment, seed, actions);
  environment.played?.push(episode);
  const rewards = notebook.rewardRegistry.list().filter(({ enabled }) => enabled !== false);
  const sample = {
    prompt: '',
    completion: '',
    completionIds: [],
    code: null,
    problems: [],
    episode,
    step: 0,
    reference: knownReferenceReturns(environment) ?? null,
  };
  const { table, error } = await score(rewards, [sample]);
  return {
    steps: episode.steps,
    return: episode.return,
    rewards: table.names.map((name, f) => ({ name, value: table.values[f][0] })),
    reward: weightedSum(table)[0] ?? null,
    ...(error && { error: error.message }),
  };
}
