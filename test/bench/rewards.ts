/*
 * Scoring again: `npm run bench -- rewards`. 500 rollouts of 500 steps, as a run
 * keeps them, are scored with three functions, one of which is new: the time from
 * the end of a reward cell to what is shown, and what that takes in the notebook.
 * The goal is one second.
 */
import { groupAdvantages } from '../../kernel/grpo/advantages';
import { Episode } from '../../kernel/episodes/episode';
import { rewardRegistry } from '../../kernel/grpo/session';
import { compareRewards } from '../../kernel/rewards/comparison/compare';
import type { Sample } from '../../kernel/rewards/sample';
import { scoreSamples, type WeightedReward } from '../../kernel/rewards/scoring';
import { textTable } from '../../kernel/display/table';
import { setCellContext } from '../../kernel/display/cellContext';

const ROLLOUTS = 500;
const STEPS = 500;
const GROUP = 50;
const ROUNDS = 5;

setCellContext({ display() {}, signal: new AbortController().signal, registerCommTarget() {} });

/** A rollout of which each step has named state, as those of Atari. */
function rollout(index: number): Sample {
  const steps = Array.from({ length: STEPS }, (_, i) => (i * 7919 + index * 104_729) % 160);
  const states = Object.fromEntries(
    ['ball_x', 'ball_y', 'paddle_x', 'bricks', 'lives', 'score'].map((name) => [name, [...steps, 0]]),
  );
  const code = `function strategy(state) { return state.ball_x > state.paddle_x + ${index} ? "RIGHT" : "LEFT"; }`;
  return {
    prompt: 'Write a strategy.',
    completion: `\`\`\`js\n${code}\n\`\`\``,
    completionIds: Array(80).fill(1),
    code,
    problems: [],
    step: 1 + Math.floor(index / GROUP),
    episode: new Episode({
      environment: 'atari',
      options: { game: 'breakout' },
      seed: index,
      actionNames: ['NOOP', 'FIRE', 'RIGHT', 'LEFT'],
      actions: steps.map((value) => value % 4),
      rewards: steps.map((value) => Number(value < 3)),
      lives: steps.map(() => 5),
      states,
      end: { reason: 'truncated' },
    }),
  };
}

const works = ({ episode }: Sample) => (episode ? 1 : -1);
const plays = ({ episode }: Sample) => episode && episode.return;
/** Reads the state at each step. */
const follows = (sign: number) => (sample: Sample) => {
  const { episode } = sample;
  if (!episode) return null;
  let sum = 0;
  for (let i = 0; i < episode.steps; i++) {
    const { ball_x, paddle_x } = episode.stateAt(i) as Record<string, number>;
    sum += sign * Math.abs(ball_x - paddle_x + i);
  }
  return sum / episode.steps;
};

async function main(): Promise<void> {
  const rewards = (sign: number): WeightedReward[] => [
    { name: 'works', weight: 1, score: works },
    { name: 'plays', weight: 1, score: plays },
    { name: 'follows', weight: 0.1, score: follows(sign) },
  ];
  const { recentRollouts } = rewardRegistry;
  const settings = {
    numGenerations: GROUP,
    scaleRewards: 'group',
    multiObjectiveAggregation: 'sum_then_normalize',
  } as const;
  const samples = Array.from({ length: ROLLOUTS }, (_, i) => rollout(i));
  recentRollouts.add({
    step: 1,
    samples,
    groupSize: GROUP,
    table: await scoreSamples(rewards(1), samples),
    advantages: (table) => groupAdvantages(table, settings),
  });
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const comparison = await compareRewards(rewards(round % 2 ? 1 : -1), recentRollouts);
    bytes = JSON.stringify(comparison.bundle()).length;
    times.push(performance.now() - started);
    comparison.keep();
  }
  const columns = [{ title: '', align: 'left' as const }, { title: 'measured' }, { title: 'goal' }];
  const rows = [
    [
      `${ROLLOUTS} rollouts of ${STEPS} steps, 3 functions: slowest of ${ROUNDS}`,
      `${Math.max(...times).toFixed(0)} ms`,
      '1000 ms',
    ],
    ['the same, median', `${times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)].toFixed(0)} ms`, ''],
    ['in the notebook', `${(bytes / 1000).toFixed(0)} KB`, ''],
  ];
  process.stdout.write(`${textTable(columns, rows)}\n`);
}

void main();
