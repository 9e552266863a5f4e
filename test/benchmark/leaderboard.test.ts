import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { benchmark, leaderboard, type BenchmarkOptions } from '../../kernel/benchmark';
import { LeaderboardFile } from '../../kernel/benchmark/leaderboardFile';
import { chatModel, serveModel, type ChatModelOptions } from '../../kernel/chat';
import { openenv } from '../../kernel/environments';
import { FastLanguageModel } from '../../kernel/models';
import type { RolloutEnvironment } from '../../kernel/rollout';
import { completion, faultyServer, json, type Asked } from '../chat/faultyServer';

const folder = mkdtempSync(join(tmpdir(), 'joylab-leaderboard-'));
const KEY = 'sk-this-key-must-stay-out-of-files';
let game: RolloutEnvironment;
let files = 0;

before(async () => {
  process.env.TEST_BENCHMARK_KEY = KEY;
  game = (await openenv('game2048')) as RolloutEnvironment;
});

after(() => {
  delete process.env.TEST_BENCHMARK_KEY;
  rmSync(folder, { recursive: true, force: true });
});

const fresh = (): string => join(folder, `${++files}.json`);
const small = { seeds: 3, maxSteps: 20, attempts: 6, validationEpisodes: 2 };
const answer = (response: ServerResponse, moves: string) =>
  completion(response, `\`\`\`ts\nfunction strategy(state) { return ${moves}; }\n\`\`\``);
const good = (_: Asked, response: ServerResponse) => answer(response, '"UP"');

/** Benchmarks a model behind a server that behaves so, and one that needs none. */
async function against(
  behave: (asked: Asked, response: ServerResponse) => void,
  options: Partial<ChatModelOptions> = {},
) {
  const server = await faultyServer((asked, response) => behave(asked, response));
  const file = fresh();
  const gpt = () =>
    chatModel({
      baseUrl: server.baseUrl,
      model: 'gpt',
      apiKeyEnv: 'TEST_BENCHMARK_KEY',
      concurrency: 1,
      maxRetries: 0,
      timeout: 0.5,
      ...options,
    });
  const run = (more: Partial<BenchmarkOptions> = {}) =>
    benchmark({ ...small, file, policies: { gpt: gpt(), random: 'random' }, environments: [game], ...more });
  return { server, file, run };
}

const text = (result: object): string =>
  (result as Record<symbol, () => any>)[Symbol.for('Jupyter.display')]()['text/plain'];

const faults: Array<[string, RegExp, (asked: Asked, response: ServerResponse) => void, Partial<ChatModelOptions>?]> = [
  ['is killed', /broke off its answer/, (_, response) => response.destroy()],
  ['is slow', /did not answer within 0\.5 s/, () => {}],
  [
    'answers 429',
    /answered 429: Slow down/,
    (_, response) => json(response, 429, { error: { message: 'Slow\ndown' } }),
  ],
  ['answers garbage', /did not answer with JSON but with "\{\\"choi"/, (_, response) => void response.end('{"choi')],
  [
    'answers a page',
    /answered with a page of HTML: baseUrl is another address/,
    (_, response) => void response.end('<!doctype html><p>Hi'),
  ],
  [
    'refuses the key',
    /refused the request \(401\): Wrong key …: check the environment variable TEST_BENCHMARK_KEY/,
    (_, response) => json(response, 401, { error: { message: `Wrong key ${KEY}` } }),
  ],
  [
    'has another model',
    /has no model gpt\. It has: llama\./,
    ({ url }, response) => json(response, url.endsWith('models') ? 200 : 404, { data: [{ id: 'llama' }] }),
  ],
];

for (const [what, line, fault] of faults) {
  test(`a server that ${what} after three answers costs a line, and a later run asks for the rest alone`, async () => {
    let broken = true;
    const { server, file, run } = await against((asked, response) =>
      broken && asked.count > 3 ? fault(asked, response) : good(asked, response),
    );
    try {
      const result = await run();
      const lines = text(result)
        .split('\n')
        .filter((one) => line.test(one));
      assert.equal(lines.length, 1, text(result));
      assert.match(lines[0], /^gpt: 3 of 6 attempts\. /);
      assert.equal(result.rows().find(({ policy }) => policy === 'gpt')!.attempts, 3);
      assert.ok(
        result.rows().some(({ policy }) => policy === 'random'),
        'the others play',
      );
      assert.ok(!text(result).includes(KEY) && !readFileSync(file, 'utf8').includes(KEY));

      broken = false;
      const before = server.asked.length;
      const whole = await run();
      assert.equal(server.asked.length - before, 3, 'only what is missing is asked for');
      assert.equal(whole.rows().find(({ policy }) => policy === 'gpt')!.attempts, 6);
      assert.doesNotMatch(text(whole), /of 6 attempts/);
      const [all] = leaderboard(file).entries.filter(({ policy }) => policy === 'gpt');
      assert.equal(leaderboard(file).entries.length, 2, 'the later run adds to the file');
      assert.equal(new Set(all.attempts.map(({ seed }) => seed)).size, 6);

      await run();
      assert.equal(server.asked.length - before, 3, 'nothing is missing now');
    } finally {
      await server.close();
    }
  });
}

test('a server that is not there costs a line, and the others play', async () => {
  const { server, run } = await against(good);
  await server.close();
  const result = await run();
  assert.match(text(result), /^gpt has no result in \S+: Nobody answers at .* \(ECONNREFUSED\)\.$/m);
  assert.deepEqual(
    result.rows().map(({ policy }) => policy),
    ['random'],
  );
});

test('a budget ends the asking, and what it bought is kept', async () => {
  const { server, run } = await against(good, { maxTotalTokens: 40 });
  try {
    const result = await run();
    assert.match(text(result), /^gpt: 3 of 6 attempts\. The budget of 40 tokens for gpt is used up\.$/m);
    assert.equal(result.rows().find(({ policy }) => policy === 'gpt')!.tokens, 45);
  } finally {
    await server.close();
  }
});

test('an interrupt keeps what was written and played, and the same call goes on', async () => {
  const stop = new AbortController();
  let asked = 0;
  const { server, file, run } = await against((one, response) => {
    if (++asked === 4) stop.abort(new Error('interrupted'));
    else good(one, response);
  });
  try {
    await assert.rejects(run({ policies: undefined as never, signal: stop.signal }), TypeError);
    const gpt = chatModel({ baseUrl: server.baseUrl, model: 'gpt', concurrency: 1 });
    const policies = { random: 'random', gpt };
    await assert.rejects(run({ policies, signal: stop.signal }), { message: 'interrupted' });
    const kept = leaderboard(file).entries;
    assert.deepEqual(
      kept.map(({ policy, attempts }) => [policy, attempts.length]),
      [
        ['random', 1],
        ['gpt', 3],
      ],
    );
    const whole = await run({ policies });
    assert.equal(asked, 7, 'three, the one that was interrupted, and the three that were missing');
    assert.equal(whole.entries.find(({ policy }) => policy === 'gpt')!.attempts.length, 6);
    assert.match(text(whole), /1 of 2 were there already/);
  } finally {
    await server.close();
  }
});

test('what is in the file is not played again; a model that has learned meanwhile is another', async () => {
  const { model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });
  const file = fresh();
  const run = () => benchmark({ ...small, file, policies: { model }, environments: [game] });
  const first = await run();
  const { generate } = model;
  model.generate = () => assert.fail('it writes again');
  assert.deepEqual((await run()).entries, first.entries);
  model.generate = generate;
  const [weight] = model.weights.values();
  (weight.data as Float32Array)[0] += 1;
  await run();
  const board = leaderboard(file);
  assert.equal(board.entries.length, 2);
  assert.notEqual(board.entries[0].identity, board.entries[1].identity);
  assert.ok(
    board.rows().every(({ policy }) => /^model \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)$/.test(policy)),
    'told apart by their dates',
  );
  const other = await benchmark({ ...small, file, seeds: 2, policies: { random: 'random' }, environments: [game] });
  assert.equal(other.entries.length, 1);
  assert.equal((text(leaderboard(file)).match(/starts, at most/g) ?? []).length, 2, 'other starts are another table');
  await model.dispose();
});

test('a file that is no leaderboard is left as it is, and nothing is asked or played', async () => {
  const server = await faultyServer(good);
  try {
    for (const [content, message] of [
      [
        '{"entries": [',
        /cannot be read as a leaderboard \(.*\)\. It was left as it is: move it away, or give another file\.$/,
      ],
      ['{"cells": []}', /is no leaderboard\. It was left/],
      ['{"format": "joylab leaderboard", "version": 1, "entries": [{"policy": "x"}]}', /is no leaderboard/],
      ['{"format": "joylab leaderboard", "version": 2, "entries": []}', /of version 2, and this Joylab knows 1/],
    ] as const) {
      const file = fresh();
      writeFileSync(file, content);
      const gpt = chatModel({ baseUrl: server.baseUrl, model: 'gpt' });
      await assert.rejects(benchmark({ ...small, file, policies: { gpt }, environments: [game] }), message);
      assert.equal(readFileSync(file, 'utf8'), content);
    }
    assert.equal(server.asked.length, 0);
  } finally {
    await server.close();
  }
});

test('results that cannot be written are shown, with why', async () => {
  const file = join(folder, 'no such folder', 'leaderboard.json');
  const result = await benchmark({ ...small, file, policies: { random: 'random' }, environments: [game] });
  assert.equal(result.rows().length, 1);
  assert.match(text(result), /^The results could not be kept in leaderboard\.json\. ENOENT/m);
  assert.ok(!existsSync(file));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.partial')),
    [],
  );
});

test('two runs that add to one file at a time lose nothing of each other', async () => {
  const file = fresh();
  const { model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });
  const served = await serveModel(model);
  try {
    const run = (name: string, seed: number) =>
      benchmark({
        ...small,
        file,
        seed,
        policies: { [name]: chatModel({ baseUrl: served.baseUrl, model: served.name }) },
        environments: [game],
      });
    await Promise.all([run('a', 1), run('b', 2)]);
    assert.deepEqual(
      leaderboard(file)
        .entries.map(({ policy }) => policy)
        .sort(),
      ['a', 'b'],
    );
  } finally {
    await served.close();
    await model.dispose();
  }
});

test('processes that add to one file at a time lose nothing of each other; what a killed one left is no obstacle', async () => {
  const file = fresh();
  const board = new LeaderboardFile(file);
  const { entries } = await benchmark({ ...small, file, policies: { random: 'random' }, environments: [game] });
  // As of a process that was killed a minute ago.
  const left = `${file}.partial`;
  writeFileSync(left, '{');
  utimesSync(left, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
  const script = `
    const { LeaderboardFile } = require(${JSON.stringify(require.resolve('../../kernel/benchmark/leaderboardFile'))});
    const board = new LeaderboardFile(${JSON.stringify(file)});
    const entry = ${JSON.stringify(entries[0])};
    for (let i = 0; i < 25; i++) board.put({ ...entry, policy: process.argv[1] + i });`;
  const ends = ['a', 'b', 'c'].map((name) => once(spawn(process.execPath, ['-e', script, name]), 'exit'));
  assert.deepEqual(
    (await Promise.all(ends)).map(([code]) => code),
    [0, 0, 0],
  );
  assert.equal(new Set(board.read().map(({ policy }) => policy)).size, 1 + 3 * 25);
  assert.ok(!existsSync(left));
});
