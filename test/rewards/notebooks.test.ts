import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import * as joylab from '../../kernel';
import type { ReferenceReturns, RolloutEnvironment, Sample } from '../../kernel';
import { packageRoot } from '../../kernel/common/packagePaths';
import { typescript } from '../../kernel/strategy/compile';

/*
 * The rewards that the notebooks define, on what strategies really do in three
 * games: one with scores from 0 on, two with scores below.
 */

type Reward = (sample: Sample) => number | null;

/** The reward functions of a notebook's `@reward` cells, by name. */
function rewardsOf(notebook: string): Record<string, Reward> {
  const { cells } = JSON.parse(readFileSync(join(packageRoot, 'notebooks', notebook), 'utf8'));
  const sources: string[] = cells
    .filter((cell: any) => cell.cell_type === 'code')
    .map((cell: any) => cell.source.join(''));
  const scoring = sources.filter((source) => source.includes('@reward')).join('\n');
  const names = [...scoring.matchAll(/^function (\w+)/gm)].map(([, name]) => name);
  const { transpileModule, ScriptTarget } = typescript();
  const javascript = transpileModule(scoring, { compilerOptions: { target: ScriptTarget.ES2022 } }).outputText;
  return new Function(...Object.keys(joylab), `${javascript}\nreturn { ${names.join(', ')} };`)(
    ...Object.values(joylab),
  );
}

const total = (rewards: Record<string, Reward>, sample: Sample) =>
  Object.values(rewards).reduce((sum, score) => sum + (score(sample) ?? 0), 0);

/** What a strategy that plays well does, by hand. */
const SKILLED: Record<string, string> = {
  breakout: 'return state.ball_x > state.paddle_x ? "RIGHT" : "LEFT";',
  pong: 'return state.player_y > state.ball_y ? "RIGHT" : "LEFT";',
  boxing:
    'const dx = state.enemy_x - state.player_x, dy = state.enemy_y - state.player_y; return Math.abs(dy) > 4 ? (dy > 0 ? "DOWNFIRE" : "UPFIRE") : dx > 0 ? "RIGHTFIRE" : "LEFTFIRE";',
};
/** Nothing of these plays to the end. */
const SILENT: Record<string, string | null> = {
  'no function': null,
  'not allowed': 'function strategy(state) { return require("fs") ? "LEFT" : "NOOP"; }',
  'no program': 'function strategy(state) { return "LEFT" "NOOP"; }',
  throws: 'let n = 0;\nfunction strategy(state) { if (n++ > 50) throw new Error("x"); return "NOOP"; }',
  endless: 'function strategy(state) { for (;;); }',
  'no action': 'function strategy(state) { return "JUMP"; }',
};

const strategy = (body: string) => `function strategy(state) { ${body} }`;

/** Samples of strategies that play, by what they do, and of what does not. */
async function samplesIn(
  env: RolloutEnvironment,
  codes: Record<string, string | null>,
  reference: ReferenceReturns,
): Promise<Record<string, Sample>> {
  const problems = Object.values(codes).map((code) => (code === null ? [] : joylab.checkCode(code)));
  const playable = Object.values(codes).map((code, i) => (problems[i].length === 0 ? code : null));
  const { episodes } = await joylab.rollout(env, playable, { seeds: playable.map(() => 5), maxSteps: 1000 });
  return Object.fromEntries(
    Object.entries(codes).map(([name, code], i) => [
      name,
      {
        prompt: '',
        completion: code ?? '',
        completionIds: [],
        code,
        problems: problems[i],
        episode: episodes[i],
        step: 1,
        reference,
      },
    ]),
  );
}

let games: Array<{ name: string; playing: Record<string, Sample>; silent: Record<string, Sample> }>;

before(async () => {
  process.env.JOYLAB_CACHE = '';
  games = [];
  for (const name of Object.keys(SKILLED)) {
    const env = await joylab.openenv('atari', { game: name as 'pong' });
    const reference = (await joylab.referenceReturns(env))!;
    const worst = reference.constants.at(-1)!.action;
    const playing = {
      skilled: strategy(SKILLED[name]),
      [`always ${worst}`]: strategy(`return "${worst}";`),
      'always NOOP': strategy('return "NOOP";'),
    };
    games.push({
      name,
      playing: await samplesIn(env, playing, reference),
      silent: await samplesIn(env, SILENT, reference),
    });
    await env.close();
  }
});

test('the samples are what they are called', () => {
  for (const { name, playing, silent } of games) {
    for (const { episode } of Object.values(playing)) assert.ok(episode && !episode.failed, name);
    assert.deepEqual(
      Object.values(silent).map(({ episode }) => episode?.end.reason ?? null),
      [null, null, null, 'error', 'timeout', 'invalid_action'],
    );
  }
  assert.deepEqual(
    games.map(({ playing }) => Math.sign(playing['always NOOP'].episode!.return)),
    [0, -1, -1],
  );
});

/** The rewards of runs: in the games without negative scores, for which some were written, or in all. */
const RUNS: Record<string, { rewards: Record<string, Reward>; negative: boolean }> = {
  'atari.ipynb': { rewards: rewardsOf('atari.ipynb'), negative: true },
  'benchmark.ipynb': { rewards: rewardsOf('benchmark.ipynb'), negative: true },
  'gpt-oss.ipynb': { rewards: rewardsOf('gpt-oss.ipynb'), negative: true },
  // Beside these it has one for speed, which gives nothing to what is wrong.
  'kernel-generation.ipynb': { rewards: rewardsOf('kernel-generation.ipynb'), negative: false },
  'new-environment.ipynb': { rewards: rewardsOf('new-environment.ipynb'), negative: false },
  '2048.ipynb': { rewards: rewardsOf('2048.ipynb'), negative: true },
  'real-model.ipynb': { rewards: rewardsOf('real-model.ipynb'), negative: true },
  'rewards.ipynb': { rewards: rewardsOf('rewards.ipynb'), negative: true },
};

for (const [run, { rewards, negative }] of Object.entries(RUNS)) {
  test(`${run}: nothing that does not play scores above what plays and loses`, () => {
    for (const { name, playing, silent } of games) {
      if (!negative && name !== 'breakout') continue;
      const least = Math.min(...Object.values(playing).map((sample) => total(rewards, sample)));
      for (const [what, sample] of Object.entries(silent))
        assert.ok(
          total(rewards, sample) < least,
          `${name}: ${what} has ${total(rewards, sample)}, what plays at least ${least}`,
        );
    }
  });
}

test('every notebook with rewards is among them', () => {
  assert.deepEqual(
    readdirSync(join(packageRoot, 'notebooks'))
      .filter((name) => name.endsWith('.ipynb') && Object.keys(rewardsOf(name)).length > 0)
      .sort(),
    Object.keys(RUNS).sort(),
  );
});

test('atari.ipynb: who plays better gets more, in every game', () => {
  const { rewards } = RUNS['atari.ipynb'];
  assert.deepEqual(Object.keys(rewards), ['functionWorks', 'noCheating', 'strategySucceeds', 'wins']);
  for (const { name, playing } of games) {
    const [skilled, ...others] = Object.values(playing);
    for (const other of others)
      assert.ok(
        total(rewards, skilled) > total(rewards, other),
        `${name}: ${total(rewards, skilled)} and ${total(rewards, other)}`,
      );
  }
});

test('2048.ipynb: the win is seen on the last board, and progress counts', () => {
  const { strategySucceeds } = RUNS['2048.ipynb'].rewards;
  const reference: ReferenceReturns = { maxSteps: 1000, chance: { mean: 900, std: 400 }, constants: [] };
  const played = (score: number, ...tiles: number[]) =>
    ({
      reference,
      episode: new joylab.Episode({
        environment: 'game2048',
        options: {},
        seed: 1,
        actionNames: ['UP'],
        actions: tiles.slice(1).map(() => 0),
        rewards: tiles.slice(1).map((_, i) => (i === 0 ? score : 0)),
        lives: tiles.slice(1).map(() => 0),
        states: {},
        observations: tiles.map((highest_tile) => ({ highest_tile })),
        end: { reason: 'terminated' },
      }),
    }) as unknown as Sample;
  assert.deepEqual([played(900, 4, 128), played(1300, 4, 128), played(20_100, 1024, 2048)].map(strategySucceeds), [
    0,
    1,
    48 + 20,
  ]);
});
