import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { CHECKS } from '../../kernel/check/checks';
import { buildRoot, pythonPath } from '../../kernel/common/packagePaths';
import { serve } from '../../kernel/openenv';
import { BROKEN, Sound } from './environments';

const servers: Array<{ url: string; close(): Promise<void> }> = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function served(type: any): Promise<string> {
  const server = await serve(type);
  servers.push(server);
  return server.url;
}

function run(command: string, args: string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { maxBuffer: 1e8 }, (error: any, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

const joylab = (...args: string[]) =>
  run(process.execPath, [path.join(buildRoot, 'kernel', 'cli.js'), 'check', ...args]);

test('joylab check: text and exit code', async () => {
  const sound = await joylab(await served(Sound), '--max-steps', '10', '--target', '8');
  assert.equal(sound.code, 0, sound.stderr);
  assert.match(sound.stdout, /^Worth training on\./);
  assert.match(sound.stdout, /\n {2}✓ seeds decide the start +Two sessions with one seed began alike\.\n/);

  const broken = await joylab(await served(BROKEN['runtime.startup'].type));
  assert.equal(broken.code, 1, broken.stderr);
  assert.match(broken.stdout, /^Not worth training on yet\. Not met: runs\./);
  assert.match(broken.stdout, /✗ runs +Step 4 failed .*the board is gone\n +→ /);
});

test('joylab check --json: its results are OpenEnv’s, with the IDs and severities of its policy', async () => {
  const { code, stdout } = await joylab(await served(BROKEN['runtime.reward_well_formed'].type), '--json');
  assert.equal(code, 1);
  const report = JSON.parse(stdout);
  assert.equal(report.verdict, 'fail');
  const program = `
import json, sys
from openenv.validation.policy import load_policy
from openenv.validation.report import CheckResult
results = [CheckResult.model_validate(it) for it in json.load(sys.stdin)["results"]]
entries = {e.check_id: e.severity.value for e in load_policy("v2").entries}
print(json.dumps([[r.check_id, r.status.value, entries[r.check_id]] for r in results]))`;
  const read = await run(pythonPath(), ['-c', program], stdout);
  assert.equal(read.code, 0, read.stderr);
  const rows: string[][] = JSON.parse(read.stdout);
  assert.deepEqual(
    rows.map(([id, , severity]) => [id, severity]),
    Object.entries(CHECKS).map(([id, { severity }]) => [id, severity]),
  );
  assert.deepEqual(
    rows.filter(([, status]) => status === 'fail').map(([id]) => id),
    ['runtime.reward_well_formed'],
  );
});

test('joylab check: what cannot be opened, or is misspelt, is said with exit code 2', async () => {
  for (const [args, message] of [
    [[], /it takes one environment: joylab check TARGET/],
    [['http://127.0.0.1:9'], /joylab check: .*127\.0\.0\.1:9/],
    [['game2048', '--options', '{game}'], /--options is JSON/],
    [['game2048', '--seconds', 'ten'], /checkEnv: seconds must be a number/],
    [['game2048', '--second', '3'], /--second/],
  ] as const) {
    const { code, stderr } = await joylab(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
