import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { buildRoot, packageRoot, pythonPath } from '../../kernel/common/packagePaths';

const CLI = path.join(buildRoot, 'kernel', 'cli.js');

let home: string;
before(() => (home = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-home-'))));
after(() => fs.rmSync(home, { recursive: true, force: true }));

function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { JUPYTER_PATH, JUPYTER_DATA_DIR, XDG_DATA_HOME, ...rest } = process.env;
  return { ...rest, HOME: home, ...extra };
}

function joylab(args: string[], env = environment()): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [CLI, ...args], { env, cwd: home, encoding: 'utf8' });
}

function kernelspecs(env = environment()): Record<string, { resource_dir: string; spec: any }> {
  return JSON.parse(
    execFileSync(pythonPath(), ['-m', 'jupyter_client.kernelspecapp', 'list', '--json'], { env, encoding: 'utf8' }),
  ).kernelspecs;
}

test('install --user: jupyter kernelspec lists the kernel with its logos; uninstall takes it out', () => {
  const { status, stdout, stderr } = joylab([
    'install',
    '--user',
    '--name',
    'Joylab-Test',
    '--display-name',
    'My Joylab',
  ]);
  assert.equal(status, 0, stderr);
  const { resource_dir, spec } = kernelspecs()['joylab-test'];
  assert.deepEqual(stdout.split('\n')[0], resource_dir);
  assert.ok(resource_dir.startsWith(home));
  assert.deepEqual([spec.display_name, spec.language, spec.interrupt_mode], ['My Joylab', 'typescript', 'message']);
  const png = fs.readFileSync(path.join(resource_dir, 'logo-64x64.png'));
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [64, 64]);
  assert.match(fs.readFileSync(path.join(resource_dir, 'logo-svg.svg'), 'utf8'), /^<svg/);
  const extension = path.join(path.dirname(path.dirname(resource_dir)), 'labextensions', 'joylab', 'package.json');
  assert.equal(JSON.parse(fs.readFileSync(extension, 'utf8')).name, 'joylab');

  assert.equal(joylab(['install', '--user']).status, 0);
  assert.equal(joylab(['uninstall', '--user', '--name', 'joylab-test']).stdout, `${resource_dir}\n`);
  assert.ok(fs.existsSync(extension), 'the other kernel still needs it');
  assert.match(
    joylab(['uninstall', '--user', '--name', 'joylab-test']).stderr,
    /There is no Joylab kernel at .*joylab-test\. Here are: --name joylab\./,
  );
  assert.equal(joylab(['uninstall', '--user']).stdout.trim().split('\n').length, 2);
  assert.ok(!fs.existsSync(extension));
  assert.equal(kernelspecs().joylab?.resource_dir.startsWith(home) ?? false, false);
});

test('install --sys-prefix takes the environment of the python on the PATH, and notes it for environment servers', () => {
  const environmentFolder = path.join(home, 'environment');
  execFileSync(pythonPath(), ['-m', 'venv', '--without-pip', environmentFolder]);
  const bin = path.join(environmentFolder, 'bin');
  const env = environment({ PATH: `${bin}${path.delimiter}${process.env.PATH}` });
  const { status, stdout, stderr } = joylab(['install', '--sys-prefix'], env);
  assert.equal(status, 0, stderr);
  const folder = path.join(fs.realpathSync(environmentFolder), 'share', 'jupyter', 'kernels', 'joylab');
  assert.equal(stdout.split('\n')[0], folder);
  const spec = JSON.parse(fs.readFileSync(path.join(folder, 'kernel.json'), 'utf8'));
  const python = path.join(fs.realpathSync(environmentFolder), 'bin', 'python');
  assert.equal(spec.env.JOYLAB_PYTHON, python);
  // It is a bare environment.
  assert.match(
    stderr,
    /^Environments such as Atari need more in this Python: (\S+) -m pip install openenv==[\d.]+ ale-py==[\d.]+\n$/,
  );
  assert.ok(stderr.includes(python));
  assert.equal(joylab(['uninstall', '--sys-prefix'], env).status, 0);
});

test('what cannot be installed is one clear line', () => {
  const cases: Array<[string[], RegExp]> = [
    [['install', '--user', '--prefix', 'x'], /--user and --prefix name different places/],
    [['install', '--user', '--name', 'a b'], /"a b" cannot be a kernel's name\. Valid: letters/],
    [['install', '--usr'], /Unknown option '--usr'/],
    [['uninstall', '--prefix', path.join(home, 'nowhere')], /There is no Joylab kernel at .*nowhere/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = joylab(args);
    assert.equal(status, 1);
    assert.match(stderr, message);
  }
  // A kernel of that name that is somebody else's stays.
  const foreign = path.join(home, 'p', 'share', 'jupyter', 'kernels', 'deno');
  fs.mkdirSync(foreign, { recursive: true });
  fs.writeFileSync(path.join(foreign, 'kernel.json'), '{"argv": ["deno"]}');
  assert.equal(joylab(['uninstall', '--prefix', path.join(home, 'p'), '--name', 'deno']).status, 1);
  assert.ok(fs.existsSync(foreign));
  assert.match(joylab(['install', '--help']).stdout, /--sys-prefix .*active Python environment/);
});

test('the packed package has all that an installed kernel needs, in any folder', { timeout: 300_000 }, () => {
  // As `npm install --global` would lay it out; npm itself would download every dependency again.
  const pack = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', home, '--json'], {
    cwd: packageRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const installed = path.join(home, 'lib', 'node_modules', 'joylab');
  fs.mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(home, JSON.parse(pack)[0].filename), '--strip-components=1', '-C', installed]);
  // What is packed is `dist`, which may be older than what is tested.
  fs.cpSync(path.join(buildRoot, 'kernel'), path.join(installed, 'dist', 'kernel'), { recursive: true });
  fs.symlinkSync(fs.realpathSync(path.join(packageRoot, 'node_modules')), path.join(installed, 'node_modules'));
  const prefix = path.join(home, 'jupyter');
  execFileSync(process.execPath, [path.join(installed, 'dist', 'kernel', 'cli.js'), 'install', '--prefix', prefix]);
  const folder = path.join(home, 'anywhere', 'else');
  fs.mkdirSync(folder, { recursive: true });
  const cells = [
    "import { FastLanguageModel, type Sample } from 'joylab';",
    "const { model } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });\ntypeof model.generate",
  ];
  fs.writeFileSync(
    path.join(folder, 'notebook.ipynb'),
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: 'joylab', display_name: 'Joylab', language: 'typescript' } },
      cells: cells.map((source, i) => ({
        cell_type: 'code',
        id: `cell-${i}`,
        source,
        metadata: {},
        outputs: [],
        execution_count: null,
      })),
    }),
  );
  const env = environment({ JUPYTER_PATH: path.join(prefix, 'share', 'jupyter') });
  const { stdout, stderr, status } = spawnSync(
    pythonPath(),
    ['-m', 'jupyter', 'nbconvert', '--to', 'notebook', '--execute', '--stdout', 'notebook.ipynb'],
    { env, cwd: folder, encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).cells[1].outputs[0].data['text/plain'], ["'function'"]);
});
