import type { ScoredBatch, RunFacts } from '../../../kernel/grpo/history/writer';
import type { Sample } from '../../../kernel/rewards/sample';
import { Episode } from '../../../kernel/episodes/episode';

export function facts(runId: string, more: Partial<RunFacts> = {}): RunFacts {
  return {
    runId,
    model: 'joylab/strategist',
    environment: 'breakout',
    settings: { learningRate: 1e-4 },
    secret: 'a secret of at least thirty-two characters',
    replays: false,
    decode: (token) => `<${token}>`,
    ...more,
  };
}

/** Returns the rollouts of a step: groups of four, whose rewards are their position in the step, less the step. */
export function batch(step: number, count: number): ScoredBatch {
  const samples = Array.from({ length: count }, (_, i) => sample(step, i));
  return {
    samples,
    table: {
      names: ['scores', 'survives'],
      weights: [1, 2],
      values: [samples.map((_, i) => i - step), samples.map((_, i) => (i % 2 === 0 ? null : 0))],
    },
    advantages: samples.map((_, i) => i / 10),
    logprobs: samples.map(({ completionIds }) => completionIds.map((id) => -id / 7)),
    groupSize: 4,
    extra: new Map([['notes', samples.map((_, i) => `note ${i}`)]]),
  };
}

function sample(step: number, i: number): Sample {
  const code = `function strategy(state) {\n  return state.ball_x < ${step * 100 + i} ? 'LEFT' : 'RIGHT';\n}`;
  return {
    prompt: 'Write a short function strategy(state).',
    completion: '```ts\n' + code + '\n```',
    completionIds: [300, 5, step, i, 70_000],
    code,
    problems: [],
    episode: new Episode({
      environment: 'line',
      options: { length: 7 },
      seed: 3,
      actionNames: ['LEFT', 'RIGHT'],
      actions: [0, 1, 1, i % 2],
      rewards: [0, 0.5, -1, i],
      lives: [3, 3, 2, 2],
      states: { place: [0, -1, 0, 1, i] },
      end: { reason: 'truncated', message: '4 steps' },
    }),
    step,
  };
}
