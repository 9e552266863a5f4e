import type { ReferenceReturns } from '../../kernel/environments';
import { Episode, type EpisodeEnd } from '../../kernel/episodes/episode';
import type { Sample } from '../../kernel/rewards/sample';

/** Returns an episode with the given rewards, one action each. */
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

/**
 * Returns a sample whose strategy played.
 *
 * @param changes fields that differ
 */
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

/** Reference returns of a game without negative scores, and of two with them. */
export const breakout = reference({ mean: 1.5, std: 1.2 }, { LEFT: 3.5, RIGHT: 3, NOOP: 0 }, 30.5);
export const pong = reference({ mean: -20, std: 1.5 }, { NOOP: -21, RIGHT: -21, LEFT: -21 }, 14.6);
export const boxing = reference({ mean: -2, std: 8 }, { UPFIRE: -18, NOOP: -40 }, 12.1);

function reference(
  chance: ReferenceReturns['chance'],
  constants: Record<string, number>,
  human: number,
): ReferenceReturns {
  return {
    maxSteps: 1000,
    chance,
    constants: Object.entries(constants).map(([action, mean]) => ({ action, mean })),
    human: { mean: human, source: 'a paper' },
  };
}
