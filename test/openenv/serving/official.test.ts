import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { serve, type EnvironmentServer } from '../../../kernel/openenv';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { openenvCommand } from '../../environments/python';
import { GuessTheNumber } from './environments';

let server: EnvironmentServer;
before(async () => (server = await serve(GuessTheNumber)));
after(() => server.close());

test('openenv validate passes', async () => {
  const { code, output } = await openenvCommand('validate', '--url', server.url);
  assert.equal(code, 0, output);
  assert.match(output, /mode: simulation/);
  assert.equal(output.match(/^ *PASS /gm)?.length, 6);
  assert.match(output, /Verdict: PASS/);
});

test("OpenEnv's Python client plays eight sessions at once, with wrong actions in between", async () => {
  const script = join(packageRoot, 'test', 'openenv', 'serving', 'official_client.py');
  const { stdout } = await promisify(execFile)(pythonPath(), [script, server.url], { timeout: 300_000 });
  const { games, again } = JSON.parse(stdout);
  for (const [seed, game] of games.entries()) {
    assert.equal(game.startReward, null);
    assert.equal(game.start.hint, 'start');
    assert.equal(game.reward, 1);
    assert.equal(game.state.secret, game.guess);
    assert.equal(game.state.episode_id, `episode-${seed}`);
    assert.equal(game.state.step_count, game.state.guesses.length);
    assert.match(game.errors[0], /VALIDATION_ERROR/);
    assert.match(game.errors[1], /VALIDATION_ERROR/);
    assert.match(game.errors[2], /13 brings bad luck.*EXECUTION_ERROR/);
    assert.deepEqual(again[seed], game, 'the same seed, the same game');
  }
  assert.ok(new Set(games.map(({ guess }: { guess: number }) => guess)).size > 4, 'different seeds, different games');
});
