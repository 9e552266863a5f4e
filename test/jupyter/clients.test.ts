import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { pythonPath } from '../../kernel/common/packagePaths';
import { eventually } from '../eventually';
import { plain } from './client';
import { JupyterPrefix } from './prefix';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

test('nbconvert runs a notebook that imports joylab, in a folder without node_modules', { timeout: 300_000 }, () => {
  const file = jupyter.write('notebook.ipynb', [
    "import { rewardRegistry, type Sample } from 'joylab';\nconst count: number = rewardRegistry.list().length;\ncount",
    "console.log('a'); await new Promise((resolve) => setTimeout(resolve, 10)); console.log('b');",
  ]);
  const { cells, metadata } = JSON.parse(
    jupyter.python('-m', 'jupyter', 'nbconvert', '--to', 'notebook', '--execute', '--stdout', file),
  );
  assert.deepEqual(cells[0].outputs[0].data, { 'text/plain': ['0'] });
  assert.deepEqual(cells[1].outputs, [{ output_type: 'stream', name: 'stdout', text: ['a\n', 'b\n'] }]);
  // What editors, exporters and GitHub go by.
  assert.deepEqual(
    [metadata.language_info.name, metadata.language_info.file_extension, metadata.language_info.mimetype],
    ['typescript', '.ts', 'text/typescript'],
  );
});

test('nbconvert exports a highlighted page and a script that TypeScript can read', { timeout: 300_000 }, () => {
  const file = jupyter.write('export.ipynb', ['const answer: number = 6 * 7;', 'interface Point { x: number }']);
  jupyter.python('-m', 'jupyter', 'nbconvert', '--to', 'notebook', '--execute', '--inplace', file);
  const page = jupyter.python('-m', 'jupyter', 'nbconvert', '--to', 'html', '--stdout', file);
  assert.match(page, /<span class="kd">const<\/span>/);
  assert.match(page, /<span class="kt">number<\/span>/);
  const log = jupyter.python(
    '-c',
    `import subprocess, sys; print(subprocess.run([sys.executable, '-m', 'jupyter', 'nbconvert', '--to', 'script', ${JSON.stringify(file)}], capture_output=True, text=True, check=True).stderr)`,
  );
  assert.match(log, /export\.ts/);
  const script = jupyter.python('-c', `print(open(${JSON.stringify(file.replace(/ipynb$/, 'ts'))}).read())`);
  assert.match(script, /^const answer: number = 6 \* 7;$/m);
  assert.doesNotMatch(script, /In\[|#!/);
});

test('a notebook that nbconvert runs has the state of its widgets, and so has its page', { timeout: 300_000 }, () => {
  const file = jupyter.write('widgets.ipynb', [
    "import { FloatSlider } from 'joylab/widgets';\nconst slider = FloatSlider({ value: 1.25, max: 2, description: 'plays' });\nslider",
    'slider.value = 1.5;',
  ]);
  jupyter.python('-m', 'jupyter', 'nbconvert', '--to', 'notebook', '--execute', '--inplace', file);
  const { metadata, cells } = jupyter.read('widgets.ipynb');
  const { state } = metadata.widgets['application/vnd.jupyter.widget-state+json'];
  const { model_id } = cells[0].outputs[0].data['application/vnd.jupyter.widget-view+json'];
  assert.equal(state[model_id].state.value, 1.5);
  const page = jupyter.python('-m', 'jupyter', 'nbconvert', '--to', 'html', '--stdout', file);
  assert.match(page, new RegExp(`<script type="application/vnd.jupyter.widget-view\\+json">\\s*\\{"[^<]*${model_id}`));
  assert.match(page, /<script type="application\/vnd.jupyter.widget-state\+json">[^<]*"FloatSliderModel"/);
});

/** Gives a program a terminal: jupyter console has its own lines only there. */
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

test('jupyter console: lines that go on, results, errors, input, the end', { timeout: 600_000 }, async () => {
  const python = pythonPath();
  const args = [
    python,
    '-m',
    'jupyter_console',
    '--kernel',
    'joylab',
    '--ZMQTerminalInteractiveShell.kernel_is_complete_timeout=60',
    '--ZMQTerminalInteractiveShell.true_color=False',
  ];
  const child = spawn(python, ['-c', IN_TERMINAL, ...args], {
    env: { ...jupyter.env, TERM: 'xterm', PROMPT_TOOLKIT_NO_CPR: '1' },
    cwd: jupyter.folder,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const expect = async (text: RegExp) => {
    await eventually(
      () => text.test(visible(output)),
      () => `${text} comes:\n${visible(output)}`,
    );
    output = '';
  };
  await expect(/Joylab .*In \[1\]: /s);
  child.stdin.write('function twice(x: number) {\r');
  await expect(/\.\.\.: /);
  child.stdin.write('return 2 * x;\r}\r\r');
  await expect(/In \[2\]: /);
  child.stdin.write('twice(21)\r');
  await expect(/Out\[2\]: 42[\s\S]*In \[3\]: /);
  child.stdin.write("twice('x')\r");
  await expect(/error TS2345: Argument of type 'string' is not assignable[\s\S]*In \[4\]: /);
  child.stdin.write("prompt('Who?')\r");
  await expect(/Who\? /);
  child.stdin.write('Zoe\r');
  await expect(/Out\[4\]: 'Zoe'[\s\S]*In \[5\]: /);
  child.stdin.write('\x04');
  await expect(/exit/);
  child.stdin.write('y\r');
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0);
});

/** The text of a terminal's output, without what moves the cursor. */
function visible(output: string): string {
  return plain(output)
    .replace(/\x1b(\[[?>=\d;]*[A-Za-z]|[=>])/g, '')
    .replace(/\r/g, '');
}
