import { Episode, type EpisodeEnd } from '../../kernel/rollout/episode';
import type { Sample } from '../../kernel/rewards/sample';

/** An episode with the given rewards, one action each. */
export function episode(rewards: number[], end: EpisodeEnd = { reason: 'terminated' }): Episode {
  return new Episode({
    environment: 'atari',
    options: { game: 'breakout' },
    seed: 1,
    actionNames: ['NOOP', 'LEFT'],
    actions: rewards.map(() => 1),
    rewards,
    lives: rewards.map(() => 5),
    states: { ball_x: [...rewards, 0] },
    end,
  });
}

/** A sample whose strategy played; `changes` says what is different. */
export function sample(changes: Partial<Sample> = {}): Sample {
  const code = 'function strategy(state) { return "LEFT"; }';
  return {
    prompt: 'Write a strategy.',
    completion: '```js\n' + code + '\n```',
    completionIds: [1, 2, 3],
    code,
    problems: [],
    episode: episode([0, 1, 1]),
    step: 1,
    ...changes,
  };
}

/** A sample from which no strategy could be extracted. */
export const nothingExtracted = sample({ completion: 'I cannot.', code: null, episode: null });
