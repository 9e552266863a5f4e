import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { chooseBackend, type BackendOptions } from '../../../kernel/models/backend';
import { FastLanguageModel, type FromPretrainedOptions } from '../../../kernel/models';
import { temporaryFolder } from '../../grpo/fixtures';

const strategist = join(packageRoot, 'kernel/models/strategist/checkpoint');
const folder = temporaryFolder();
// Whatever was set up for this user.
process.env.JUPYTER_DATA_DIR = folder;

/** Which back end is chosen, and what is said of it. */
async function choice(of: string, options: BackendOptions, python?: string): Promise<{ chosen: string; said: string }> {
  const { log } = console;
  const before = process.env.JOYLAB_GPU_PYTHON;
  let said = '';
  console.log = (text: string) => void (said += text);
  if (python) process.env.JOYLAB_GPU_PYTHON = python;
  else delete process.env.JOYLAB_GPU_PYTHON;
  try {
    return { chosen: await chooseBackend(of, options), said };
  } finally {
    console.log = log;
    if (before === undefined) delete process.env.JOYLAB_GPU_PYTHON;
    else process.env.JOYLAB_GPU_PYTHON = before;
  }
}

test('a back end that is named is taken; a setting that it has not names those that have it', async () => {
  for (const backend of ['onnx', 'trl', 'unsloth'] as const)
    assert.deepEqual(await choice(strategist, { backend }), { chosen: backend, said: '' });
  const load = (options: object) =>
    FastLanguageModel.fromPretrained({ modelName: strategist, ...options } as FromPretrainedOptions);
  await assert.rejects(
    load({ backend: 'onnx', dtype: 'bfloat16' }),
    /dtype is a setting of the back ends 'trl' and 'unsloth', and this model's is 'onnx': leave it out, or load the model with backend: 'trl'/,
  );
  await assert.rejects(
    load({ backend: 'unsloth', initWeights: 'random' }),
    /initWeights is a setting of the back end 'trl'/,
  );
  await assert.rejects(load({ backend: 'cuda' }), /backend must be one of "auto", "onnx", "trl", "unsloth"/);
  await assert.rejects(load({ launch: { numProcesses: 0 } }), /launch must be \{ numProcesses: 2 \} or/);
  await assert.rejects(load({ backend: 'unsloth' }), /has no Unsloth: `joylab setup gpu --unsloth`/);
  const { model } = await load({ backend: 'onnx', dtype: 'float32' });
  assert.throws(
    () => FastLanguageModel.getPeftModel(model, { targetParameters: ['mlp.experts.down_proj'] }),
    /targetParameters is a setting of the back ends 'trl' and 'unsloth'/,
  );
});

test("'auto' takes this process where there is no GPU's Python, a worker where a setting or the family asks for it, and says why", async () => {
  assert.equal((await choice(strategist, {})).chosen, 'onnx');
  assert.deepEqual(await choice(strategist, { launch: { numProcesses: 2 } }), {
    chosen: 'trl',
    said: "backend 'trl': launch is given.",
  });
  const python = pythonPath();
  const onCpu = await choice(strategist, {}, python);
  assert.equal(onCpu.chosen, 'onnx');
  const isThere = existsSync('/dev/nvidiactl') || existsSync('/dev/dxg') || existsSync('/dev/kfd');
  assert.match(
    onCpu.said,
    isThere ? /^backend 'onnx': a model of \d M parameters needs no GPU\.$/ : /^backend 'onnx': no GPU was found\.$/,
  );
  const other = join(folder, 'gpt-oss');
  cpSync(strategist, other, { recursive: true });
  const config = join(other, 'config.json');
  writeFileSync(config, readFileSync(config, 'utf8').replace('"llama"', '"gpt_oss"'));
  assert.deepEqual(await choice(other, {}, python), {
    chosen: 'trl',
    said: "backend 'trl': this process cannot train models of the family gpt_oss.",
  });
  await assert.rejects(
    choice(strategist, { launch: { numProcesses: 2 } }, '/nowhere/python'),
    /no Python at \/nowhere/,
  );
});
