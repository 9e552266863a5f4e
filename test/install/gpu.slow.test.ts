import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { buildRoot, environmentPython, packageRoot, pythonPath } from '../../kernel/common/packagePaths';
import { makeEnvironment } from '../../kernel/install/gpu/environment';
import { findings, readPins, type Report } from '../../kernel/install/gpu/findings';

// The check is that of the tests' own Python, which has torch, transformers, peft and trl.

const folder = mkdtempSync(join(tmpdir(), 'joylab-gpu-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function joylab(args: string[], extra: NodeJS.ProcessEnv) {
  const env = { ...process.env, JUPYTER_DATA_DIR: join(folder, 'data'), JOYLAB_GPU_PYTHON: '', ...extra };
  return spawnSync(process.execPath, [join(buildRoot, 'kernel', 'cli.js'), ...args], { env, encoding: 'utf8' });
}

/** A folder with a wheel of an empty package, and a list for pip that asks for it. */
function requirementsOf(version: string): string {
  const wheels = join(folder, 'wheels');
  const about = `tiny-${version}.dist-info`;
  const made = mkdtempSync(join(folder, 'wheel-'));
  mkdirSync(join(made, about));
  mkdirSync(wheels, { recursive: true });
  const files: Record<string, string> = {
    'tiny.py': `VERSION = '${version}'\n`,
    [`${about}/METADATA`]: `Metadata-Version: 2.1\nName: tiny\nVersion: ${version}\n`,
    [`${about}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  files[`${about}/RECORD`] = [...Object.keys(files), `${about}/RECORD`].map((name) => `${name},,\n`).join('');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  const wheel = join(wheels, `tiny-${version}-py3-none-any.whl`);
  const zipped = spawnSync(pythonPath(), ['-m', 'zipfile', '-c', wheel, 'tiny.py', about], { cwd: made });
  assert.equal(zipped.status, 0, String(zipped.stderr));
  const list = join(folder, `requirements-${version}.txt`);
  writeFileSync(list, `--no-index\n--find-links ${wheels}\ntiny==${version}\n`);
  return list;
}

const versionIn = (place: string) =>
  spawnSync(environmentPython(place), ['-c', 'import tiny; print(tiny.VERSION)'], { encoding: 'utf8' }).stdout.trim();

test('an environment appears whole; one that fails or does not pass replaces none that is good', async (t) => {
  t.mock.method(process.stderr, 'write', () => true);
  const place = join(folder, 'made', 'gpu');
  const make = (version: string, passes = true) =>
    makeEnvironment({ folder: place, requirements: requirementsOf(version), passes: async () => passes });
  assert.deepEqual(await make('1.0', false), { passed: false, inPlace: true });
  assert.equal(versionIn(place), '1.0', 'kept where there was none: what is missing can be mended');
  assert.deepEqual(await make('2.0', false), { passed: false, inPlace: false });
  const unknown = join(folder, 'unknown.txt');
  writeFileSync(unknown, `--no-index\n--find-links ${join(folder, 'wheels')}\ntiny==9.9\n`);
  await assert.rejects(
    makeEnvironment({ folder: place, requirements: unknown, passes: async () => true }),
    /the package index has no tiny==9\.9 for this Python and system: choose another --torch-index/,
  );
  assert.equal(versionIn(place), '1.0');
  // What a set-up that was killed has left: no process has this id.
  mkdirSync(join(folder, 'made', 'gpu-4194305-abcdef'));
  assert.deepEqual(await make('3.0'), { passed: true, inPlace: true });
  assert.equal(versionIn(place), '3.0');
  assert.equal(readdirSync(join(folder, 'made')).length, 2, 'the link and what it leads to');
  assert.ok(existsSync(readlinkSync(place)));
});

test('--check imports everything, makes a step of training and says that it trains', () => {
  const { status, stdout, stderr } = joylab(['setup', 'gpu', '--check'], { JOYLAB_GPU_PYTHON: pythonPath() });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^device +processor, PyTorch for/m);
  assert.match(stdout, /^trl +1\.16\.0 +1\.16\.0$/m);
  assert.match(stdout, /^training step +\d+\.\d s on CPU$/m);
  assert.match(stdout, /trains\. Notebooks use it with backend: 'trl'\./);
});

test('--check says which package is missing or does not fit, and what installs it', () => {
  const packages = join(folder, 'packages');
  mkdirSync(join(packages, 'trl-1.16.0.dist-info'), { recursive: true });
  writeFileSync(
    join(packages, 'trl-1.16.0.dist-info', 'METADATA'),
    'Metadata-Version: 2.1\nName: trl\nVersion: 1.16.0\nRequires-Dist: datasets<2\nRequires-Dist: transformers>=4\n',
  );
  const clashing = joylab(['setup', 'gpu', '--check'], {
    JOYLAB_GPU_PYTHON: pythonPath(),
    PYTHONPATH: [packages, process.env.PYTHONPATH].filter(Boolean).join(delimiter),
  });
  assert.equal(clashing.status, 1);
  assert.match(clashing.stdout, /clash +trl 1\.16\.0 wants datasets <2, and 5\.\S+ is installed/);
  assert.match(clashing.stdout, /versions that were tried together: \S+ -m pip install torch==/);
  assert.doesNotMatch(clashing.stdout, /^training step/m);

  const bare = join(folder, 'bare');
  assert.equal(spawnSync(pythonPath(), ['-m', 'venv', '--without-pip', bare]).status, 0);
  const missing = joylab(['setup', 'gpu', '--check'], { JOYLAB_GPU_PYTHON: environmentPython(bare) });
  assert.equal(missing.status, 1);
  assert.match(missing.stdout, /^trl +missing +1\.16\.0 +✗ \S+ -m pip install trl==1\.16\.0$/m);
  assert.match(missing.stdout, /cannot train yet: see ✗ above/);
});

test('wrong arguments and what is not there are sentences with what to do', () => {
  assert.match(joylab(['setup'], {}).stderr, /usage: joylab setup gpu \[--unsloth\]/);
  assert.match(joylab(['setup', 'gpu', '--check'], {}).stderr, /`joylab setup gpu` makes it, or let JOYLAB_GPU_PYTHON/);
  assert.match(
    joylab(['setup', 'gpu', '--check'], { JOYLAB_GPU_PYTHON: '/nowhere/python' }).stderr,
    /JOYLAB_GPU_PYTHON is \/nowhere\/python, where there is nothing/,
  );
  assert.match(
    joylab(['setup', 'gpu', '--torch-index', 'Cuda 13!'], {}).stderr,
    /--torch-index Cuda 13! is no index of PyTorch; valid are names as cu130/,
  );
});

const packages = Object.fromEntries(
  [...readPins(readFileSync(join(packageRoot, 'kernel/engines/trl/requirements.txt'), 'utf8'))].map(
    ([name, version]) => [name, { version, error: null }],
  ),
);
const torch = { cuda: '13.0', hip: null, device: null, count: 0, memory: null, warnings: [] };
const gpu = { vendor: 'NVIDIA', name: 'H200', driver: '550.54', cuda: '12.4' };
const report: Report = { python: '3.12.3', packages, clashes: [], torch, gpu };

/** What is said of the device. */
function adviceOn(changes: Partial<Report>): string {
  const rows = findings({ ...report, ...changes }, new Map(), 'pip install');
  return rows.find(({ what }) => what === 'device')!.advice;
}

test('a GPU that PyTorch does not find is explained', () => {
  assert.match(
    adviceOn({}),
    /the driver knows CUDA up to 12\.4, this PyTorch wants 13\.0: update the driver, or choose/,
  );
  assert.match(adviceOn({ torch: { ...torch, cuda: null } }), /this PyTorch is not for H200: .*--torch-index cu130/);
  const amd = { vendor: 'AMD', name: null, driver: '6.10', cuda: null };
  assert.match(adviceOn({ gpu: amd, torch: { ...torch, cuda: null } }), /--torch-index rocm6\.4/);
  assert.match(
    adviceOn({ gpu: amd, torch: { ...torch, cuda: null, hip: '6.4', warnings: ['no permission'] } }),
    /PyTorch does not find the AMD GPU: no permission/,
  );
  assert.equal(adviceOn({ torch: { ...torch, device: 'H200', count: 2, memory: 2 ** 37 } }), '');
});
