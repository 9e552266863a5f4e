import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { threadsFrom } from '../../kernel/onnx/threads';
import { buildRoot } from '../../kernel/common/packagePaths';

const session = join(buildRoot, 'kernel/onnx/session');

test('an operator takes a thread per core that the process may use', {
  skip: spawnSync('taskset', ['--version']).error && 'taskset is not there',
}, () => {
  const ask = (...command: string[]) =>
    spawnSync('taskset', ['-c', '0', ...command], { encoding: 'utf8' }).stdout.trim();
  const script = `console.log(require(${JSON.stringify(session)}).runtimeSettings.threads)`;
  assert.equal(ask(process.execPath, '-e', script), '1');
  const threads = threadsFrom({});
  assert.ok(threads >= 1 && threads <= availableParallelism(), String(threads));
});

test('JOYLAB_THREADS says another number; what is none is an error that names the valid ones', () => {
  assert.equal(threadsFrom({ JOYLAB_THREADS: '3' }), 3);
  assert.equal(threadsFrom({ JOYLAB_THREADS: '' }), threadsFrom({}));
  for (const wrong of ['0', '-1', '1.5', 'two'])
    assert.throws(
      () => threadsFrom({ JOYLAB_THREADS: wrong }),
      /JOYLAB_THREADS is ".*"\. Valid: a whole number from 1/,
    );
  const script = `console.log(require(${JSON.stringify(session)}).runtimeSettings.threads)`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], {
    env: { ...process.env, JOYLAB_THREADS: '5' },
    encoding: 'utf8',
  });
  assert.equal(stdout.trim(), '5');
});
