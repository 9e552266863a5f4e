import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { JupyterPrefix } from '../prefix';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

test('jupyter_kernel_test passes, nothing skipped', { timeout: 600_000 }, () => {
  const script = path.join(packageRoot, 'test', 'jupyter', 'protocol', 'conformance.py');
  const { status, stderr } = spawnSync(pythonPath(), [script], {
    env: jupyter.env,
    cwd: jupyter.folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /skipped/);
  assert.match(stderr, /Ran 13 tests/);
});
