import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { checkEnv } from '../../kernel/check';
import { openenv } from '../../kernel/environments';
import { check, closeAll, open, opened, those } from './checking';
import { Endless, Flatterer, Narrow, Sound, Strict } from './environments';
import { mangled } from './mangled';

after(closeAll);

test('a sound environment passes every check, and none is left out', async () => {
  const report = await check(Sound);
  assert.deepEqual(those(report, 'pass').length, report.results.length, String(report));
  assert.equal(report.verdict, 'pass');
  assert.match(report.summary, /^Worth training on\. 18 of 18 checks passed/);
  assert.equal(report.starts, 16);
  assert.match(report.result('semantic.oracle_max').evidence[0], /oracle gets 8, the target is 8/);
});

test('what goes wrong on the wire is found there: state, tools, the schema of a foreign server', async () => {
  const env = await open(Sound);
  const stateless = await mangled(env.url, (answer) => {
    if (answer.type === 'state') answer.data.step_count = 0;
  });
  const ghosts = await mangled(env.url, (answer) => {
    answer.data?.result?.tools?.push({ name: 'ghost', description: 'Is not there.', inputSchema: { type: 'object' } });
  });
  const untidy = await mangled(env.url, (answer) => {
    if (answer.type === 'observation') answer.data.observation.cue = String(answer.data.observation.cue);
  });
  opened.push(stateless, ghosts, untidy);
  for (const [{ url }, id, seen] of [
    [stateless, 'runtime.state_contract', /After one step, step_count was 0/],
    [ghosts, 'runtime.tool_declaration_accuracy', /ghost is listed, and a call says/],
    [untidy, 'runtime.observation_schema', /The reset: cue: /],
  ] as const) {
    const report = await check(url, { seconds: 30, maxSteps: 10 });
    assert.deepEqual(those(report, 'fail'), [id], String(report));
    assert.match(report.result(id).evidence.join(' '), seen);
  }
});

test('a server with room for one session is checked all the same, but for isolation', async () => {
  const report = await check(Narrow);
  assert.deepEqual(those(report, 'fail'), [], String(report));
  assert.deepEqual(those(report, 'skip'), ['runtime.episode_isolation']);
  assert.match(report.result('runtime.episode_isolation').evidence[0], /room for one session/);
});

test('free text: what rewards anything fails, what nothing won is left open until a policy is given', async () => {
  const flatterer = await check(Flatterer, {});
  assert.deepEqual(those(flatterer, 'fail'), ['semantic.canary_floor'], String(flatterer));

  const env = await open(Strict);
  const open_ = await checkEnv(env, { maxSteps: 5 });
  assert.deepEqual(those(open_, 'fail'), [], String(open_));
  for (const id of ['statistical.reward_reachability', 'semantic.floor_gap', 'statistical.training_signal'] as const)
    assert.match(open_.result(id).evidence[0], /^Not tried: .*text/);

  const oracle =
    'function strategy({ question }) { const [a, b] = question.match(/\\d+/g).map(Number); return String(a + b); }';
  const known = await checkEnv(env, { maxSteps: 5, target: 1, policies: { oracle } });
  assert.deepEqual(those(known, 'fail'), [], String(known));
  assert.deepEqual(those(known, 'skip'), ['runtime.tool_declaration_accuracy', 'statistical.training_signal']);
});

test('episodes without an end and slow steps: it keeps its time and says what was cut', async () => {
  const started = performance.now();
  const report = await check(Endless, { seconds: 12 });
  const seconds = (performance.now() - started) / 1000;
  assert.ok(seconds < 18, `${seconds} s`);
  assert.deepEqual(those(report, 'fail'), ['runtime.resource_bounds'], String(report));
  assert.match(report.cut.join(' '), /The 12 seconds were up/);
  assert.ok(those(report, 'skip').length > 5);
});

test('a server that dies on the way fails to run, and what was seen before stays', async () => {
  const env = await open(Sound);
  let answers = 0;
  const dying = await mangled(env.url, () => {
    if (++answers === 60) dying.close();
  });
  opened.push(dying);
  const client = await openenv(dying.url, { reconnectTimeout: 500, connectTimeout: 500 });
  opened.push(client);
  const report = await checkEnv(client, { seconds: 20 });
  assert.deepEqual(those(report, 'fail'), ['runtime.startup'], String(report));
  assert.match(report.result('runtime.startup').evidence[0], /The server was lost after \d+ answers/);
  assert.equal(report.result('runtime.state_contract').status, 'pass');
});

test('an abort ends it at once, with what it has', async () => {
  const env = await open(Sound);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 200);
  const started = performance.now();
  const report = await checkEnv(env, { signal: controller.signal, maxSteps: 1000, seconds: 60 });
  assert.ok(performance.now() - started < 3500);
  assert.match(report.cut.join(' '), /It was interrupted/);
  assert.equal(report.results.length, 18);
  assert.equal(report.verdict, 'warn');
  assert.ok(those(report, 'skip').length > 5, String(report));
});

test('wrong options are refused with the valid ones', async () => {
  const env = await open(Sound);
  await assert.rejects(checkEnv(env, { second: 3 } as never), /checkEnv has no option second.*seconds/s);
  await assert.rejects(checkEnv(env, { policies: { oracle: 3 } } as never), /policies must be an object of strategies/);
  const report = await checkEnv(env, { target: 8, maxSteps: 10, policies: { oracle: 'function strategy( {' } });
  assert.match(report.result('semantic.oracle_max').evidence[0], /the policy oracle did not play: SyntaxError/);
});
