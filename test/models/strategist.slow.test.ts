import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packageRoot, pythonPath } from '../../kernel/setup/python';

const folder = join(packageRoot, 'kernel/models/strategist');
const run = promisify(execFile);
const env = { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' };

test('the checkpoint passes the gate in transformers', { timeout: 600_000 }, async () => {
  const { stdout } = await run(pythonPath(), [join(folder, 'gate.py'), '--prompts', '128', '--groups', '1'], { env });
  const figures = JSON.parse(stdout);
  assert.ok(figures.valid > 0.97, stdout);
  assert.ok(figures.names > 0.9, stdout);
  assert.ok(figures.self_comparison < 0.03, stdout);
  assert.ok(figures.distinct_of_64 > 32, stdout);
});
