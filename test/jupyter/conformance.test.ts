import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { installKernel } from '../../kernel/install';
import { packageRoot, pythonPath } from '../../kernel/setup/python';

let prefix: string;
let env: NodeJS.ProcessEnv;
before(() => {
  prefix = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-prefix-'));
  installKernel({ prefix });
  env = { ...process.env, JUPYTER_PATH: path.join(prefix, 'share', 'jupyter'), JUPYTER_PLATFORM_DIRS: '1' };
});
after(() => fs.rmSync(prefix, { recursive: true, force: true }));

test('jupyter kernelspec lists the kernel, with its logos', () => {
  const list = execFileSync(pythonPath(), ['-m', 'jupyter_client.kernelspecapp', 'list', '--json'], { env, encoding: 'utf8' });
  const { resource_dir, spec } = JSON.parse(list).kernelspecs.joylab;
  assert.equal(spec.display_name, 'Joylab (TypeScript)');
  assert.equal(spec.interrupt_mode, 'message');
  const png = fs.readFileSync(path.join(resource_dir, 'logo-64x64.png'));
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [64, 64]);
  assert.match(fs.readFileSync(path.join(resource_dir, 'logo-svg.svg'), 'utf8'), /^<svg/);
});

test('jupyter_kernel_test passes, nothing skipped', { timeout: 120_000 }, () => {
  const script = path.join(packageRoot, 'test', 'jupyter', 'conformance.py');
  const { status, stderr } = spawnSync(pythonPath(), [script], { env, cwd: prefix, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /skipped/);
  assert.match(stderr, /Ran 13 tests/);
});

const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: 'joylab', display_name: 'Joylab (TypeScript)', language: 'typescript' } },
  cells: [
    "import { rewardRegistry, type Sample } from 'joylab';\nconst count: number = rewardRegistry.list().length;\ncount",
    "console.log('a'); await new Promise((resolve) => setTimeout(resolve, 10)); console.log('b');",
  ].map((source, i) => ({ cell_type: 'code', id: `cell-${i}`, source, metadata: {}, outputs: [], execution_count: null })),
};

test('nbconvert runs a notebook that imports joylab, in a folder without node_modules', { timeout: 60_000 }, () => {
  const file = path.join(prefix, 'notebook.ipynb');
  fs.writeFileSync(file, JSON.stringify(NOTEBOOK));
  const { status, stdout, stderr } = spawnSync(
    pythonPath(),
    ['-m', 'jupyter', 'nbconvert', '--to', 'notebook', '--execute', '--stdout', file],
    { env, cwd: prefix, encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  const { cells } = JSON.parse(stdout);
  assert.deepEqual(cells[0].outputs[0].data, { 'text/plain': ['0'] });
  assert.deepEqual(cells[1].outputs, [{ output_type: 'stream', name: 'stdout', text: ['a\n', 'b\n'] }]);
});
