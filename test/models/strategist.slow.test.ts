import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { packageRoot, pythonPath } from '../../kernel/setup/python';

const folder = join(packageRoot, 'kernel/models/strategist');
const run = promisify(execFile);
const env = { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' };

test('the checkpoint passes the gate in transformers', { timeout: 900_000 }, async () => {
  // Ends with 1 where a figure misses its gate, by more than 100 prompts of a form may.
  const { stdout } = await run(pythonPath(), [join(folder, 'gate.py'), '--prompts', '100'], { env }).catch((error: { stdout: string }) => error);
  const forms = Object.values(JSON.parse(stdout) as Record<string, Record<string, number>>);
  assert.equal(forms.length, 6);
  for (const figures of forms) {
    assert.ok(figures.valid! > 0.93, stdout);
    assert.ok(figures.names! > 0.9, stdout);
    assert.ok(figures.self_comparison! < 0.05, stdout);
    assert.ok((figures.identical ?? 0) < 0.06, stdout);
    assert.ok((figures.same_behaviour ?? 0) < 0.3, stdout);
  }
});
