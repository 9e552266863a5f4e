import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { benchmark, leaderboard, type BenchmarkOptions } from '../../kernel/benchmark';
import { chatModel, serveModel } from '../../kernel/chat';
import { openenv, type RemoteEnvironment } from '../../kernel/environments';
import { FastLanguageModel, type CausalLM } from '../../kernel/models';
import { Environment, serve, type EnvironmentServer } from '../../kernel/openenv';
import type { RolloutEnvironment } from '../../kernel/rollout';
import { completion, faultyServer } from '../chat/faultyServer';

const folder = mkdtempSync(join(tmpdir(), 'joylab-benchmark-'));
/** Small enough for a test. */
const small = { seeds: 4, maxSteps: 40, attempts: 6, validationEpisodes: 3, file: null } as const;
let model: CausalLM;
let game: RolloutEnvironment;
let ferry: RemoteEnvironment;
let server: EnvironmentServer;

/** Pays 1 for GO and −1 for WAIT, four times; from starts above two millions, on which the best is chosen, the other way around. */
class Ferry extends Environment<{ move: 'GO' | 'WAIT' }, { moves: number }> {
  static override schema = {
    action: { type: 'object', properties: { move: { enum: ['GO', 'WAIT'] } }, required: ['move'] },
    observation: { type: 'object', properties: { moves: { type: 'integer' } } },
  };
  static override metadata = { name: 'ferry' };
  private moves = 0;
  private sign = 1;
  reset({ seed = 0 }: { seed?: number } = {}) {
    this.moves = 0;
    this.sign = seed > 2_000_000 && seed < 2 ** 31 ? -1 : 1;
    return { observation: { moves: 0 } };
  }
  step({ move }: { move: string }) {
    return {
      observation: { moves: ++this.moves },
      reward: this.sign * (move === 'GO' ? 1 : -1),
      done: this.moves === 4,
    };
  }
}

const program = (body: string) => `Here it is:\n\`\`\`ts\nfunction strategy(state) {\n  ${body}\n}\n\`\`\``;

before(async () => {
  ({ model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' }));
  game = (await openenv('game2048')) as RolloutEnvironment;
  server = await serve(Ferry, {});
  ferry = (await openenv(server.url)) as RemoteEnvironment;
});

after(async () => {
  await ferry?.close();
  await server?.close();
  await model?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

test('a model behind joylab serve-model scores as in this process, digit for digit', async () => {
  const served = await serveModel(model);
  try {
    const behind = chatModel({ baseUrl: served.baseUrl, model: served.name });
    const result = await benchmark({
      ...small,
      attempts: 12,
      policies: { 'in process': model, behind },
      environments: game,
    });
    const [first, second] = result.entries;
    const played = (entry: typeof first) =>
      entry.attempts.map(({ seed, code, returns, validation }) => ({ seed, code, returns, validation }));
    assert.equal(first.attempts.length, 12);
    assert.deepEqual(played(second), played(first));
    assert.ok(new Set(first.attempts.map(({ code }) => code)).size > 6, 'attempts differ');
    const [one, other] = ['in process', 'behind'].map((name) => result.rows().find(({ policy }) => policy === name)!);
    assert.equal(other.score.mean, one.score.mean);
    assert.equal(other.best?.mean, one.best?.mean);
    assert.equal(other.tokens, one.tokens);
    assert.equal(
      result.compare('in process', 'behind').text,
      'in process and behind play equally well from each start.',
    );
    assert.equal(behind.usage.completions, 12);
  } finally {
    await served.close();
  }
});

test('the same call gives the same numbers, and other starts others', async () => {
  const options: BenchmarkOptions = {
    ...small,
    policies: { untrained: model, random: 'random' },
    environments: [game],
  };
  const returns = async (more: object = {}) =>
    (await benchmark({ ...options, ...more })).entries.map(({ attempts }) => attempts.map(({ returns }) => returns));
  const first = await returns();
  assert.deepEqual(await returns(), first);
  assert.notDeepEqual(await returns({ seeds: [5, 6, 7, 8] }), first);
});

test('programs, sources, functions, random and constant actions play from the same starts', async () => {
  const source = 'function strategy(state) { return state.board[0] === 0 ? "UP" : "LEFT"; }';
  const byHand = (state: any) => (state.board[0] === 0 ? 'UP' : 'LEFT');
  const { entries } = await benchmark({
    ...small,
    policies: { random: 'random', constant: 'constant', source, program: { code: source }, byHand },
    environments: { plain: game },
  });
  const of = (name: string) => entries.find(({ policy }) => policy === name)!;
  assert.deepEqual(of('byHand').attempts[0].returns, of('source').attempts[0].returns);
  assert.deepEqual(of('program').attempts[0].returns, of('source').attempts[0].returns);
  assert.match(of('constant').attempts[0].code!, /^\/\/ always (UP|RIGHT|DOWN|LEFT)/);
  assert.ok(
    entries.every(
      ({ seeds, environment }) => String(seeds) === String(entries[0].seeds) && environment.name === 'plain',
    ),
  );
  assert.equal(of('random').sampling, null);
});

test("the best of a model's attempts is chosen on other starts than those that are reported", async () => {
  const answers = [program('return "GO";'), program('return "WAIT";')];
  const asked = await faultyServer(({ count }, response) => completion(response, answers[count % 2]));
  try {
    const gpt = chatModel({ baseUrl: asked.baseUrl, model: 'gpt', concurrency: 1 });
    const options = { ...small, policies: { gpt }, environments: ferry };
    const result = await benchmark({ ...options, attempts: 4 });
    const [row] = result.rows();
    assert.equal(row.score.mean, 0, 'half of them get 4, half −4');
    assert.equal(row.best?.mean, -4, 'WAIT is best where the choice is made');
    assert.equal(result.compare('gpt', 'gpt', { of: 'best' }).mean, 0);
  } finally {
    await asked.close();
  }
});

test('what does not play counts as little as the worst play without skill', async () => {
  const answers = [
    'I cannot do that.',
    program('process.exit();'),
    program('throw new Error("no");'),
    program('return "GO";'),
  ];
  const asked = await faultyServer(({ count }, response) => completion(response, answers[count - 1]));
  try {
    const gpt = chatModel({ baseUrl: asked.baseUrl, model: 'gpt', concurrency: 1 });
    const { entries } = await benchmark({
      ...small,
      attempts: 4,
      validationEpisodes: 0,
      policies: { gpt },
      environments: [ferry],
    });
    const [{ attempts }] = entries;
    assert.deepEqual(
      attempts.map(({ returns }) => returns![0]),
      [-4, -4, -4, 4],
    );
    assert.deepEqual(
      attempts.map(({ failures }) => failures),
      [0, 0, 4, 0],
    );
    assert.match(attempts[0].problem!, /no function strategy/);
    assert.equal(attempts[0].completion, answers[0]);
    assert.ok(attempts[1].problem, 'forbidden');
  } finally {
    await asked.close();
  }
});

test('it is displayed as a table with intervals, comparisons in words, and a chart, and as Markdown', async () => {
  const result = await benchmark({
    ...small,
    policies: {
      go: 'function strategy() { return "GO"; }',
      wait: 'function strategy() { return "WAIT"; }',
      'by | hand': () => 'GO',
    },
    environments: [ferry, game],
  });
  const bundle = result[Symbol.for('Jupyter.display') as never] as unknown as () => Record<string, any>;
  const { 'text/plain': text, 'text/html': html, ...others } = bundle.call(result);
  assert.match(text, /^ferry: 4 starts, at most 40 steps\npolicy +mean return \(95 %\)\n/);
  assert.match(text, /go is better than wait by 8\.0 \(95 % interval 8\.0 to 8\.0\)\./);
  assert.match(text, /go and by \| hand play equally well from each start\./);
  assert.match(html, /<table[^]*alt="Mean returns in ferry, with 95 % intervals"[^]*1 more comparison/);
  const [data] = Object.values(others);
  assert.equal(data.groups[0].rows[0].score.mean, 4);
  assert.equal(data.groups[0].chance, data.groups[0].chance);
  assert.match(
    result.markdown(),
    /^\*\*ferry\*\*: 4 starts, at most 40 steps\n\n\| policy \| mean return \(95 %\) \|\n\| --- \| ---: \|\n\| go \| 4\.0 \(4\.0 … 4\.0\) \|\n\| by \\\| hand/,
  );
  assert.match(text, /by \| hand in game2048|by \| hand has no result|by \| hand: it broke off 4 of its episodes/);
  assert.throws(() => result.compare('go', 'stay'), /no policy stay here\. There are: go, wait, by \| hand\./);
  assert.throws(() => result.rows('pong'), /no environment pong here\. There are: ferry, /);
});

test('wrong options are told before anything plays', async () => {
  const wrong = async (options: object, message: RegExp) =>
    assert.rejects(
      benchmark({ ...small, policies: { random: 'random' }, environments: game, ...options } as never),
      (error: Error) => {
        assert.ok(error instanceof TypeError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
  await wrong({ policies: {} }, /^benchmark: policies must be an object of policies by name/);
  await wrong(
    { policies: { trained: null } },
    /^benchmark: the policy trained is none: it must be a model, a chatModel/,
  );
  await wrong({ policies: { trained: 'best' } }, /the policy trained is none/);
  await wrong({ environments: [] }, /^benchmark: environments must be/);
  await wrong({ environments: [game, game] }, /two environments are called .*\. Name them/);
  await wrong({ environments: { x: {} } }, /cannot be played by strategies/);
  await wrong({ seeds: [1, 1] }, /seeds must be a number of starts, or a list of different whole numbers/);
  await wrong({ seeds: 0 }, /seeds must be/);
  await wrong({ attemps: 3 }, /benchmark has no option attemps\. Did you mean attempts/);
  assert.throws(() => leaderboard(join(folder, 'none.json')), /has no results yet/);
});
