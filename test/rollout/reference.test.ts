import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { progressAt } from '../../kernel/display/progress/progress';
import { humanReturn } from '../../kernel/environments/atari/human';
import { openenv, type ReferenceReturns } from '../../kernel/environments';
import { Environment, serve } from '../../kernel/openenv';
import { referenceReturns, rollout, type RolloutEnvironment } from '../../kernel/rollout';
import { actionChoice } from '../../kernel/rollout/reference/actions';
import { keptAs } from '../../kernel/rollout/reference';
import { officialAtari } from '../environments/official';

const folder = mkdtempSync(join(tmpdir(), 'joylab-reference-'));
process.env.JOYLAB_CACHE = folder;
after(() => rmSync(folder, { recursive: true }));

/** An environment that tells only its schema of actions. */
const withActions = (action: object, actions: string[] = []) =>
  ({
    name: 'x',
    spec: { actions, actionSchema: action },
    vectorSources: async () => [],
  }) as unknown as RolloutEnvironment;
const choice = (action: object, actions?: string[]) => actionChoice(withActions(action, actions));
const object = (properties: object, required?: string[]) => ({
  type: 'object',
  properties,
  ...(required && { required }),
});

test('chance, constant actions and a human, in an Atari game: measured once, the same in each process', async () => {
  const env = await openenv('atari', { game: 'breakout' });
  const found = (await referenceReturns(env, { maxSteps: 60 }))!;
  assert.equal(found.maxSteps, 60);
  assert.deepEqual(found.constants.map(({ action }) => action).sort(), [...env.actions].sort());
  assert.deepEqual(
    [...found.constants].sort((a, b) => b.mean - a.mean),
    found.constants,
    'the best first',
  );
  assert.deepEqual(found.human, { mean: 30.5, source: 'Wang et al. 2016' });
  assert.ok(found.chance.mean >= 0 && found.chance.std > 0);

  const again = await openenv('atari', { game: 'breakout' });
  const sources = again.vectorSources.bind(again);
  let asked = 0;
  again.vectorSources = (count) => (asked++, sources(count));
  assert.deepEqual(
    await referenceReturns(again, { maxSteps: 60 }),
    found,
    'another environment of the same options is known',
  );
  assert.equal(asked, 0);
  await referenceReturns(again, { maxSteps: 61 });
  assert.equal(asked, 1, 'longer episodes are others');
  await Promise.all([env.close(), again.close()]);
});

test('what a human gets is told for the options with which it was measured', () => {
  const means = [
    { game: 'pong' },
    { game: 'boxing', mode: 0 },
    { game: 'adventure' },
    { game: 'seaquest', terminalOnLifeLoss: true },
  ] as const;
  assert.deepEqual(
    means.map((options) => humanReturn(options)?.mean),
    [14.6, undefined, undefined, undefined],
  );
});

test('2048: chance takes legal moves, and each move alone gets stuck', async () => {
  const env = await openenv('game2048');
  const { chance, constants, human } = (await referenceReturns(env, { maxSteps: 200 }))!;
  assert.deepEqual(constants.map(({ action }) => action).sort(), ['DOWN', 'LEFT', 'RIGHT', 'UP']);
  assert.ok(chance.mean > 10 * constants[0].mean, `${chance.mean} and ${constants[0].mean}`);
  assert.equal(human, undefined);
});

test("OpenEnv's own Atari server", async () => {
  const server = await officialAtari({ ATARI_GAME: 'pong', ATARI_OBS_TYPE: 'ram' });
  const env = await openenv(server.url);
  const { constants, human } = (await referenceReturns(env, { maxSteps: 5 }))!;
  assert.deepEqual([constants.length, human?.mean], [6, 14.6]);
  await env.close();
  await server.close();
});

/** Pays what a move is worth. The move 3 is refused. */
class Moves extends Environment<{ move: number }, { moves: number }> {
  static override schema = {
    action: object({ move: { type: 'integer', minimum: 0, maximum: 3 } }, ['move']),
    observation: object({ moves: { type: 'integer' } }),
  };
  static seeds: Array<number | undefined> = [];
  private moves = 0;
  reset({ seed }: { seed?: number } = {}) {
    Moves.seeds.push(seed);
    this.moves = 0;
    return { observation: { moves: 0 } };
  }
  step({ move }: { move: number }) {
    if (move === 3) throw new Error('no such move today');
    return { observation: { moves: ++this.moves }, reward: move - 1, done: this.moves === 4 };
  }
}

test('any server with few actions; starts that training does not draw; what the environment cannot play does not count', async (t) => {
  t.mock.method(console, 'warn', () => {});
  const server = await serve(Moves, {});
  const env = await openenv(server.url);
  const { chance, constants } = (await referenceReturns(env, { maxSteps: 10 }))!;
  assert.deepEqual(constants, [
    { action: '2', mean: 4 },
    { action: '1', mean: 0 },
    { action: '0', mean: -4 },
  ]);
  assert.ok(Math.abs(chance.mean) < 4);
  assert.ok(
    Moves.seeds.every((seed) => seed! >= 2 ** 31),
    'training draws below 2³¹',
  );
  const before = Moves.seeds.length;
  await referenceReturns(env, { maxSteps: 10 });
  assert.equal(Moves.seeds.length, before, 'known');
  await env.close();
  await server.close();
});

test('an interruption ends it, and the next call measures', async () => {
  const env = await openenv('game2048');
  const abort = new AbortController();
  const interrupted = referenceReturns(env, { maxSteps: 900, signal: abort.signal });
  const waiting = referenceReturns(env, { maxSteps: 901 });
  abort.abort(new Error('interrupted'));
  await assert.rejects(interrupted, /interrupted/);
  assert.ok(await waiting);
});

test('the actions to play: by name, by value, as objects; drawn where they are many; none where they are free', async () => {
  assert.deepEqual(choice(object({ move: { enum: ['A', 'B'] } })), {
    actions: [
      { name: 'A', value: 'A' },
      { name: 'B', value: 'B' },
    ],
    all: true,
  });
  assert.deepEqual(choice(object({ id: { type: 'integer', minimum: 0, maximum: 1 } }), ['NO', 'GO']).actions, [
    { name: 'NO', value: 0 },
    { name: 'GO', value: 1 },
  ]);
  assert.equal(choice(object({ id: { type: 'integer', minimum: 0, maximum: 99 } })).all, false);
  const two = choice(
    object({ row: { type: 'integer', minimum: 0, maximum: 2 }, fire: { type: 'boolean' }, note: { type: 'string' } }, [
      'row',
      'fire',
    ]),
  );
  assert.deepEqual(
    [two.actions.length, two.all, two.actions[1]],
    [6, true, { name: '{"row":0,"fire":true}', value: { row: 0, fire: true } }],
  );

  const schema = object(
    {
      force: { type: 'number', minimum: -1, maximum: 1 },
      path: { type: 'array', items: { enum: ['L', 'R'] }, minItems: 1, maxItems: 3 },
      at: { $ref: '#/$defs/At' },
    },
    ['force', 'path', 'at'],
  );
  const defined = { ...schema, $defs: { At: object({ x: { type: 'integer', minimum: 0, maximum: 9 } }, ['x']) } };
  const { actions, all } = choice(defined);
  assert.deepEqual([actions.length, all], [256, false]);
  for (const { value } of actions as Array<{ value: any }>)
    assert.ok(
      Math.abs(value.force) <= 1 &&
        value.path.length >= 1 &&
        value.path.length <= 3 &&
        value.at.x >= 0 &&
        value.at.x <= 9,
    );
  assert.deepEqual(choice(defined).actions, actions, 'the same each time');

  assert.deepEqual(choice(object({ message: { type: 'string' } })).actions, []);
  assert.equal(await referenceReturns(withActions(object({ message: { type: 'string' } }))), null, 'an honest absence');
});

test('a measurement is kept on disk, and what lies there is checked', () => {
  const reference: ReferenceReturns = {
    maxSteps: 5,
    chance: { mean: 1, std: 2 },
    constants: [{ action: 'UP', mean: 3 }],
  };
  const text = JSON.stringify(reference);
  assert.equal(keptAs('key').read(), undefined);
  keptAs('key').write(text);
  assert.equal(String(keptAs('key').read()), text);
  assert.equal(keptAs('other').read(), undefined);
  for (const file of readdirSync(join(folder, 'reference'))) {
    const path = join(folder, 'reference', file);
    writeFileSync(path, readFileSync(path, 'latin1').replace('"mean":3', '"mean":4'), 'latin1');
  }
  assert.equal(keptAs('key').read(), undefined, 'it was damaged');
  process.env.JOYLAB_CACHE = '';
  keptAs('key').write(text);
  assert.equal(keptAs('key').read(), undefined, 'nothing is kept');
  process.env.JOYLAB_CACHE = folder;
});

test('it says what it does, as every rollout can', async () => {
  const env = await openenv('game2048');
  const texts: string[] = [];
  await progressAt({ delay: 0, show: (stage) => void (stage && texts.push(stage.text)) }, () =>
    referenceReturns(env, { maxSteps: 300 }),
  );
  assert.ok(
    texts.some((text) => /^Measuring what chance gets: \d+ of 52/.test(text)),
    texts.join('\n'),
  );
  await assert.rejects(
    rollout(env, [], { seeds: [], titel: 'x' } as never),
    /rollout has no option titel\. Did you mean title\?/,
  );
});
