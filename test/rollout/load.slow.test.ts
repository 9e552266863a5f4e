import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { openenv, type Game2048Environment } from '../../kernel/environments';
import { executeWithTimeLimit, rollout } from '../../kernel/rollout';

let env: Game2048Environment;
before(async () => void (env = await openenv('game2048')));
after(() => env.close());

test('harmless strategies meet tight limits on a machine that has many other programs to run', async (t) => {
  const busy = Array.from({ length: 8 }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  t.after(() => busy.forEach((program) => program.kill('SIGKILL')));
  const codes = Array.from(
    { length: 12 },
    (_, i) => `function strategy(state) { return state.legal_actions[${i} % state.legal_actions.length]; }`,
  );
  const limits = { callTimeLimit: 0.02, strategyTimeLimit: 0.1, maxSteps: 100 };
  const { episodes } = await rollout(env, codes, { seeds: codes.map((_, i) => i), ...limits });
  assert.deepEqual(
    episodes.filter((episode) => !['terminated', 'truncated'].includes(episode!.end.reason)),
    [],
  );
  const plain = await executeWithTimeLimit((state: { legal_actions: number[] }) => state.legal_actions[0], env, limits);
  const source = await executeWithTimeLimit(codes[0], env, limits);
  for (const { end } of [plain, source]) assert.ok(['terminated', 'truncated'].includes(end.reason), end.message);
});
