import type { EpisodeData, TrainingData } from '../../kernel/display/mime';
import { episodeData } from '../../kernel/display/pictures/episode';
import { openenv } from '../../kernel/environments';
import { rollout } from '../../kernel/rollout';

/** The panel of rewards of a run that has ended. */
export const savedRewards: TrainingData['rewards'] = {
  version: 1,
  id: 'of a kernel that has ended',
  rows: ['functionWorks', 'scores'].map((name, i) => ({
    name,
    weight: i + 1,
    enabled: true,
    source: 'Cell [3], line 2',
    mean: 1,
    std: 0.5,
    share: 0.5,
    decides: 0.5,
    withReturn: null,
    ties: 0,
    notes: i === 1 ? ['applies to none of the last 64 rollouts'] : [],
  })),
  rollouts: 64,
  groups: 8,
  step: 40,
  notes: [],
};

/** A run whose rewards rise from step to step. */
export function run(status: TrainingData['status'], steps: number): TrainingData {
  const log = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    loss: 0.01 * Math.sin(i),
    reward: i / 10,
    reward_std: 0.5,
    'rewards/functionWorks/mean': 1,
    'rewards/scores/mean': i / 10 - 1,
    'completions/mean_length': 60 - i / 2,
    kl: 0.001 * i,
    step_time: 2,
  }));
  const events = steps > 5 ? [{ step: 5, text: 'scores was replaced' }] : [];
  return {
    version: 1,
    runId: 'saved',
    status,
    step: steps,
    maxSteps: 40,
    rewardNames: ['functionWorks', 'scores'],
    log,
    events,
  };
}

/** A supervised run that is evaluated after every second step. */
export function supervisedRun(): TrainingData {
  const log: TrainingData['log'] = Array.from({ length: 6 }, (_, i): TrainingData['log'] => [
    {
      step: i + 1,
      loss: 3 - i / 4,
      mean_token_accuracy: i / 10,
      grad_norm: 1,
      learning_rate: 2e-5,
      num_tokens: 100 * (i + 1),
      epoch: i / 3,
      step_time: 2,
    },
    ...(i % 2 ? [{ step: i + 1, eval_loss: 3.5 - i / 4, eval_mean_token_accuracy: i / 20, eval_runtime: 1 }] : []),
  ]).flat();
  return {
    version: 1,
    runId: 'supervised',
    status: 'finished',
    step: 6,
    maxSteps: 6,
    rewardNames: [],
    log,
    events: [],
  };
}

/** Three real episodes with their frames. */
export async function playedGroup(): Promise<EpisodeData[]> {
  const env = await openenv('atari', { game: 'breakout' });
  try {
    const codes = ['LEFT', 'RIGHT', 'NOOP'].map((action) => `function strategy(state) { return "${action}"; }`);
    const { episodes, frames } = await rollout(env, codes, {
      seeds: [1, 1, 1],
      maxSteps: 100,
      frames: { episodes: [0, 1, 2], every: 4 },
    });
    return episodes.map((episode, i) => episodeData(episode!, frames.get(i)!));
  } finally {
    await env.close();
  }
}
