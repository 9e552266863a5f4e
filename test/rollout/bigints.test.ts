import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createLockedDownFunction,
  Environment,
  type Episode,
  executeWithTimeLimit,
  openenv,
  rollout,
  replay,
  serve,
} from '../../kernel';

const LARGE = 2n ** 63n + 1n;

/** Gives an ID that no number holds; who gives it back, and the next one, has a reward. */
class Echo extends Environment<any, any, any> {
  static override schema = {
    action: { type: 'object', properties: { id: { type: 'number', format: 'bigint' } }, required: ['id'] },
  };
  private times = 0;
  reset() {
    this.times = 0;
    return { observation: { id: LARGE, list: [LARGE, 1, 0.5] } };
  }
  step({ id }: any) {
    const reward = id === LARGE + BigInt(this.times) ? 1 : 0;
    this.times++;
    return { observation: { id: LARGE + BigInt(this.times) }, reward, done: this.times === 2 };
  }
}

test('integers of any size go through: observations, strategies, actions, records, pictures and replay', async () => {
  const server = await serve(Echo);
  const env = await openenv(server.url);
  const codes = [
    'function strategy(state) { return { id: state.id }; }',
    'const strategy = ({ id }) => BigInt(String(id));',
    'const strategy = ({ id }) => Number(id);',
  ];
  const { episodes } = (await rollout(env, codes, { seeds: [1, 1, 1], maxSteps: 5 })) as { episodes: Episode[] };
  assert.deepEqual(
    episodes.map((it) => it.return),
    [2, 2, 0],
  );
  assert.deepEqual(episodes[0].actionValues, [{ id: LARGE }, { id: LARGE + 1n }]);
  assert.deepEqual(episodes[0].stateAt(0), { id: LARGE, list: [LARGE, 1, 0.5] });
  assert.match(episodes[0].actionNames[0], /^9223372036854775809$/);
  const own = await executeWithTimeLimit((state: any) => ({ id: state.id }), env, { seed: 1 });
  assert.equal(own.return, 2);
  assert.ok('text/plain' in (await (own as any)[Symbol.for('Jupyter.display')]()), 'it is displayed');
  await replay(own, env);
  const small = await executeWithTimeLimit('function strategy() { return { id: 5n }; }', env, { seed: 1 });
  assert.equal(small.end.reason, 'error', small.end.message);
  await env.close();
  await server.close();
  const locked = await createLockedDownFunction('function strategy(a) { return [a.n + 1n, typeof a.s, a.s.length]; }');
  assert.deepEqual(locked({ n: LARGE, s: 'x' }), [LARGE + 1n, 'string', 1]);
  locked.dispose();
});
