import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { packageRoot } from '../kernel/common/packagePaths';

test('the linter has nothing to say, and every file is as `npm run format` leaves it', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [require.resolve('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '--max-diagnostics=20', '.'],
    { cwd: packageRoot, encoding: 'utf8' },
  );
  assert.equal(status, 0, `${stderr}${stdout}`);
});
