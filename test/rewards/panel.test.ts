import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setCellContext, type Comm } from '../../kernel/display/cellContext';
import { REWARDS_MIME, type RewardsData, type RewardsMessage } from '../../kernel/display/rewardsMime';
import { groupAdvantages } from '../../kernel/grpo/advantages';
import { RewardRegistry } from '../../kernel/rewards/registry';
import type { RewardFunction, Sample } from '../../kernel/rewards/sample';
import { scoreSamples } from '../../kernel/rewards/scoring';
import { episode, nothingExtracted, sample } from './samples';

let registry: RewardRegistry;
let opened: (comm: Comm, data: unknown) => void;

beforeEach(() => {
  setCellContext({
    display() {},
    signal: new AbortController().signal,
    registerCommTarget: (_, onOpen) => void (opened = onOpen as typeof opened),
  });
  registry = new RewardRegistry();
});

const show = () => {
  const bundle = registry[Symbol.for('Jupyter.display') as never] as unknown as () => Record<string, unknown>;
  return bundle.call(registry);
};
const panel = () => show()[REWARDS_MIME] as RewardsData;

/** Scores samples, in groups of four, as the rollouts of a step. */
async function remember(samples: Sample[], step = 3, maxSteps = 100): Promise<void> {
  const settings = {
    numGenerations: 4,
    scaleRewards: 'group',
    multiObjectiveAggregation: 'sum_then_normalize',
  } as const;
  registry.recentRollouts.add({
    step,
    samples,
    groupSize: 4,
    table: await scoreSamples(registry.list(), samples),
    maxSteps,
    advantages: (table) => groupAdvantages(table, settings),
  });
}

/** Samples with returns 0, 1, 2 … of episodes that last as `steps` says. */
const played = (count: number, steps = (i: number) => 10 + (i % 3)): Sample[] =>
  Array.from({ length: count }, (_, i) => {
    const rewards = Array(steps(i)).fill(0);
    rewards[0] = (i * 7) % count;
    return sample({ episode: episode(rewards) });
  });

const returns: RewardFunction = ({ episode }) => episode && episode.return;

test('the panel shows what each function did to the last rollouts', async () => {
  await registry.register('plays', returns);
  await registry.register('works', () => 2, { weight: 0.5 });
  assert.doesNotMatch(String(show()['text/plain']), /of the sum/);
  await remember(played(8));
  const { rows, rollouts, groups, step } = panel();
  assert.deepEqual([rollouts, groups, step], [8, 2, 3]);
  const [plays, works] = rows;
  // By hand: returns 0, 7, 6, 5, 4, 3, 2, 1 are 28 in all, and 8 times 1 is 8.
  assert.deepEqual(
    [plays.mean, plays.share, plays.decides, plays.withReturn, plays.ties],
    [3.5, Number((28 / 36).toPrecision(6)), 1, 1, 0],
  );
  assert.deepEqual([works.mean, works.decides, works.withReturn, works.ties], [2, 0, null, 2]);
  assert.match(
    String(show()['text/plain']),
    /^reward +weight +counts +mean ± std +of the sum +of the differences +with the return +ties +from\nplays +1 +yes +3\.50 ± 2\.45 +78 % +100 % +1 +0 of 2/,
  );
});

/** What the panel says about the first function, and about all. */
async function notes(score: RewardFunction, samples: Sample[], step?: number): Promise<string[]> {
  registry.clear();
  await registry.register('one', score);
  await remember(samples, step);
  const { rows, notes } = panel();
  registry.recentRollouts.clear();
  return [...rows[0].notes, ...notes];
}

test('it says what is wrong, in words', async () => {
  const many = played(32);
  assert.deepEqual(await notes(returns, many), []);
  assert.deepEqual(await notes(() => null, many), ['applies to none of the last 32 rollouts']);
  assert.deepEqual(await notes(() => 1, many), ['gives each of the last 32 rollouts 1: it tells none apart']);
  assert.match((await notes(() => 0, many, 19))[0], /^gives 0 to all so far\. That is normal .* until about step 20$/);
  assert.match((await notes(() => 0, many, 20))[0], /^still gives 0 to all at step 20\. .*partial credit/);
  const long = played(32, (i) => 10 + ((i * 5) % 32));
  const uneven = long.map((one, i) => sample({ episode: episode([(i * 13) % 5, ...one.episode!.rewards.slice(1)]) }));
  const lasts: RewardFunction = ({ episode }) => episode!.steps / 100;
  assert.match((await notes(lasts, uneven))[0], /^rises with the length .* stalling pays$/);
  assert.match((await notes((it) => -lasts(it)!, uneven))[0], /^falls with the length .* short episodes pay$/);
  const falling = long.map(({ episode: it }) => sample({ episode: episode([-it!.steps, ...it!.rewards.slice(1)]) }));
  assert.match(
    (await notes(lasts, falling))[0],
    /^rises with the length of episodes while the return falls: stalling pays$/,
  );
  const half = many.map((one, i) => (i % 2 ? nothingExtracted : one));
  assert.match(
    (await notes(({ episode }) => (episode ? -1 : 0), half)).join(),
    /what does not play gets 0 on the average, what plays -1: silence pays/,
  );
  const decides = many.map((one, i) =>
    i % 2 ? one : sample({ episode: Object.assign(episode([0, 0, 0]), { actions: [0, 1, 0] }) }),
  );
  assert.match(
    (await notes(({ episode }) => Number(episode!.actions.every((it) => it === 1)), decides)).join(),
    /programs that always do the same get 1 on the average, those that decide 0: constant actions pay/,
  );
});

test('a function that dwarfs the others is told, with what to do', async () => {
  await registry.register('small', ({ episode }) => episode!.steps / 100);
  await registry.register('large', returns, { weight: 10 });
  await remember(played(32));
  assert.match(panel().rows[1].notes[0], /^decides (9\d|100) % of the differences .*Lower its weight, or clip it$/);
});

test('a view turns functions off and changes weights, and is told what it cannot', async () => {
  await registry.register('plays', returns);
  await registry.register('works', () => 2);
  const { id } = panel();
  const sent: RewardsMessage[] = [];
  let ask: (request: object) => void = () => {};
  let close = () => {};
  const comm = {
    send: (message: RewardsMessage) => void sent.push(message),
    onMessage: (handler: typeof ask) => void (ask = handler),
    onClose: (handler: typeof close) => void (close = handler),
  } as unknown as Comm;
  opened(comm, { id });
  assert.equal(sent[0].type, 'data');
  ask({ type: 'weight', name: 'plays', weight: 3 });
  ask({ type: 'enabled', name: 'works', enabled: false });
  assert.deepEqual(
    registry.list().map(({ weight, enabled }) => [weight, enabled]),
    [
      [3, true],
      [1, false],
    ],
  );
  ask({ type: 'enabled', name: 'plays', enabled: false });
  ask({ type: 'weight', name: 'plays', weight: 'x' });
  assert.deepEqual(
    sent.flatMap((message) => (message.type === 'error' ? [message.text] : [])),
    [
      'plays is the only function that counts: without one nothing can be learned.',
      'The weight of the reward "plays" must be a finite number, not x.',
    ],
  );
  close();
});
