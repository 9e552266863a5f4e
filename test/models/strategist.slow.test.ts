import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packageRoot, pythonPath } from '../../kernel/setup/python';

const folder = join(packageRoot, 'kernel/models/strategist');
const run = promisify(execFile);
const env = { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' };

/** What 64 prompts of a form show at least: what 1,000 showed (see the README), less three standard deviations. */
const LEAST_VALID: Record<string, number> = { named: 0.9, schema: 0.82, objects: 0.73 };

test('the checkpoint writes and edits in transformers as its README says', { timeout: 900_000 }, async () => {
  // Ends with 1 where a figure misses its gate.
  const { stdout } = await run(pythonPath(), [join(folder, 'gate.py'), '--prompts', '64'], { env }).catch((error: { stdout: string }) => error);
  const forms = Object.entries(JSON.parse(stdout) as Record<string, Record<string, number>>);
  assert.equal(forms.length, 6);
  for (const [name, figures] of forms) {
    assert.ok(figures.valid! > LEAST_VALID[name.split(' ')[0]!]!, stdout);
    assert.ok(figures.names! > 0.84, stdout);
    assert.ok(figures.self_comparison! < 0.05, stdout);
    assert.ok((figures.identical ?? 0) < 0.1, stdout);
    assert.ok((figures.same_behaviour ?? 0) < 0.3, stdout);
  }
});
