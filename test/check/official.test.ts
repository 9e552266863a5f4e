import assert from 'node:assert/strict';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { checkEnv } from '../../kernel/check';
import { packageRoot } from '../../kernel/common/packagePaths';
import { openenv, type RemoteEnvironment } from '../../kernel/environments';
import { startPythonServer, type Garden } from '../openenv/pythonServer';
import { those } from './checking';

let echo: RemoteEnvironment;
let garden: Garden;

before(async () => {
  [echo, garden] = await Promise.all([
    openenv(path.join(packageRoot, 'test', 'openenv', 'official', 'echo_env'), {
      from: 'python',
      envVars: { MAX_CONCURRENT_ENVS: '2' },
      startTimeout: 120_000,
    }),
    startPythonServer(),
  ]);
});

after(() => Promise.all([echo?.close(), garden?.stop()]));

test('OpenEnv’s echo: steps have no reward, and its reset does not fit its own schema', async () => {
  const report = await checkEnv(echo, { seconds: 40 });
  assert.deepEqual(those(report, 'fail'), ['runtime.observation_schema', 'runtime.reward_well_formed'], String(report));
  assert.match(report.result('runtime.observation_schema').evidence[0], /The reset: tool_name: Field required/);
  assert.match(report.result('runtime.reward_well_formed').evidence[0], /(\d+) of \1 steps had no reward/);
  assert.match(report.result('runtime.tool_declaration_accuracy').evidence[0], /echo_message, echo_with_length/);
  for (const id of ['runtime.state_contract', 'runtime.episode_determinism', 'runtime.episode_isolation'] as const)
    assert.equal(report.result(id).status, 'pass', id);
  assert.match(report.result('statistical.training_signal').evidence[0], /says nothing before "rewards are numbers"/);
});

test('an environment on OpenEnv’s Python server', async () => {
  const env = await openenv(garden.url);
  const report = await checkEnv(env, { seconds: 40, maxSteps: 20 });
  await env.close();
  assert.deepEqual(those(report, 'fail'), ['semantic.floor_gap'], 'every step of it has the same reward');
  assert.match(report.result('semantic.floor_gap').evidence[0], /they differ by 0\.$/);
  assert.deepEqual(those(report, 'pass').filter((id) => id.startsWith('runtime.')).length, 8, String(report));
});
