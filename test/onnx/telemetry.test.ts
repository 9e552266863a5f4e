import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { buildRoot } from '../../kernel/common/packagePaths';
import { TestKernel } from '../jupyter/client';

const library = JSON.stringify(join(buildRoot, 'kernel'));
const generate = `
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });
  const { sequences } = await model.generate({ inputIds: tokenizer('the').inputIds, maxNewTokens: 2 });
  console.log('tokens:', sequences[0].length);`;
const train = `
  const { SFTTrainer } = require(${library});
  const trainer = new SFTTrainer({ model, processingClass: tokenizer, trainDataset: [{ text: 'the ball' }], args: { maxSteps: 1 } });
  await trainer.train();
  await trainer.dispose();`;
const inLibrary = (code: string) => `(async () => { const { FastLanguageModel } = require(${library}); ${code} })();`;

/** Programs in which ONNX Runtime is loaded, each of which prints how many tokens there were. */
const programs: Record<string, string> = {
  'a program that trains and generates': inLibrary(generate + train),
  'a thread whose process knows nothing of Joylab': `new (require('node:worker_threads').Worker)(${JSON.stringify(inLibrary(generate))}, { eval: true, env: {} });`,
  'a thread that the main thread waits for': `
    const done = new Int32Array(new SharedArrayBuffer(4));
    const code = ${JSON.stringify(inLibrary(`${generate} const done = require('node:worker_threads').workerData; Atomics.store(done, 0, 1); Atomics.notify(done, 0);`))};
    new (require('node:worker_threads').Worker)(code, { eval: true, env: {}, workerData: done });
    Atomics.wait(done, 0, 0);`,
  'a process that loads ONNX Runtime by itself, started by a program': `
    require(${library});
    const code = ${JSON.stringify(`require(${JSON.stringify(require.resolve('onnxruntime-node'))}).InferenceSession.create(new Uint8Array(1)).catch(() => console.log('tokens: 2'))`)};
    require('node:child_process').spawnSync(process.execPath, ['-e', code], { stdio: 'inherit' });`,
};

/** Calls `run` with an environment whose folders are all empty; every file that is in them afterwards. */
async function filesLeft(run: (env: NodeJS.ProcessEnv) => Promise<void>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-home-'));
  const own = [
    'HOME',
    'USERPROFILE',
    'TMPDIR',
    'TEMP',
    'TMP',
    'XDG_CACHE_HOME',
    'XDG_CONFIG_HOME',
    'XDG_DATA_HOME',
    'XDG_STATE_HOME',
    'XDG_RUNTIME_DIR',
    'LOCALAPPDATA',
    'APPDATA',
  ];
  const env = Object.fromEntries(own.map((name) => [name, join(folder, name)]));
  Object.values(env).forEach((path) => mkdirSync(path));
  try {
    // Whoever has it on for other programs does not mean this one.
    await run({ ...process.env, ...env, ORT_DISABLE_TELEMETRY: '0' });
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [name, program] of Object.entries(programs)) {
  test(`${name} leaves nothing in the user's folders`, async () => {
    const left = await filesLeft(async (env) => {
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], {
        env,
        cwd: env.HOME,
        timeout: 120_000,
      });
      assert.match(stdout, /tokens: 2$/m);
    });
    assert.deepEqual(left, []);
  });
}

test("a notebook's cell leaves nothing there but the history of inputs", async () => {
  const left = await filesLeft(async (env) => {
    // Newer versions of Node.js keep compiled code in the temporary folder.
    const kernel = await TestKernel.start({}, { env: { ...env, JOYLAB_HISTORY: '', NODE_DISABLE_COMPILE_CACHE: '1' } });
    try {
      assert.match(await kernel.run(`import { FastLanguageModel } from 'joylab';${generate}`), /tokens: 2$/m);
    } finally {
      await kernel.stop();
    }
  });
  assert.deepEqual(left, []);
});
