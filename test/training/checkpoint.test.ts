import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { readSafetensors, writeSafetensors } from '../../kernel/models/checkpoint/safetensors';
import type { Tensor } from '../../kernel/onnx/tensor';
import { freshModel, newTrainer, outcome, quietHost, temporaryFolder } from '../grpo/fixtures';

before(quietHost);

type Damage = (copy: string) => void;

const STATE = 'run_state.json';
const edit =
  (changes: (state: any) => object): Damage =>
  (copy) => {
    const state = JSON.parse(readFileSync(join(copy, STATE), 'utf8'));
    writeFileSync(join(copy, STATE), JSON.stringify({ ...state, ...changes(state) }));
  };
const write =
  (content: string): Damage =>
  (copy) =>
    writeFileSync(join(copy, STATE), content);
const tensors =
  (file: string, change: (tensors: Map<string, Tensor>) => void): Damage =>
  (copy) => {
    const path = join(copy, file);
    const changed = readSafetensors(path);
    change(changed);
    writeSafetensors(path, changed);
  };
const rollouts = (changes: object) =>
  edit(({ state }) => ({ state: { ...state, rollouts: [{ ...state.rollouts[0], ...changes }] } }));
const step = (value: number) =>
  tensors('optimizer.safetensors', (all) => all.set('step', { shape: [1], data: Float32Array.of(value) }));
const pipe =
  (name: string): Damage =>
  (copy) => (rmSync(join(copy, name)), assert.equal(spawnSync('mkfifo', [join(copy, name)]).status, 0));

const damages: [string, Damage, RegExp][] = [
  ['no object', write('null'), /run_state\.json must hold a JSON object, not null/],
  ['a list', write('[]'), /must hold a JSON object/],
  ['nesting', write(`{"state":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), /nested more than 512 levels/],
  ['a pipe for the state', pipe(STATE), /run_state\.json is a pipe/],
  ['a pipe for the optimizer', pipe('optimizer.safetensors'), /optimizer\.safetensors is a pipe/],
  [
    'a device for the weights',
    (copy) => (
      rmSync(join(copy, 'adapter_model.safetensors')), symlinkSync('/dev/zero', join(copy, 'adapter_model.safetensors'))
    ),
    /is a device/,
  ],
  ['a step that is a text', edit(() => ({ global_step: '2' })), /global_step must be a whole number from 0, not "2"/],
  ['a step of one half', edit(() => ({ global_step: 0.5 })), /global_step must be a whole number from 0, not 0\.5/],
  ['a negative step', edit(() => ({ global_step: -1 })), /global_step must be a whole number/],
  ['tokens', edit(() => ({ num_input_tokens_seen: null })), /num_input_tokens_seen must be a number from 0, not null/],
  ['a log that is none', edit(() => ({ log_history: [null] })), /log_history must be a list of objects of numbers/],
  [
    'a log of texts',
    edit(() => ({ log_history: [{ loss: 'x' }] })),
    /log_history must be a list of objects of numbers/,
  ],
  ['events', edit(() => ({ events: [{ step: 1 }] })), /events must be a list of \{ step, text \}/],
  ['metrics', edit(() => ({ pending_metrics: { loss: 1 } })), /pending_metrics must be an object of lists of numbers/],
  ['no state', edit(() => ({ state: null })), /state must be an object, not null/],
  [
    'files elsewhere',
    edit(() => ({ extras: { '../../reference': 1 } })),
    /extras must be an object of numbers by the names of files/,
  ],
  ['files that are missing', edit(() => ({ extras: { reference: 1 } })), /there is no file .*reference\.safetensors/],
  ['extras in a list', edit(() => ({ extras: [1] })), /extras must be an object of numbers/],
  ['rollouts', edit(() => ({ state: { rollouts: {} } })), /the state's rollouts must be a list, not \{\}/],
  ['a rollout that is null', edit(() => ({ state: { rollouts: [null] } })), /rollouts must be objects, not null/],
  [
    'tokens beyond the vocabulary',
    rollouts({ completionIds: [[1e6]] }),
    /rollouts have completionIds = \[\[1000000\]\], which a run of this model does not save/,
  ],
  ['prompts that are none', rollouts({ promptOf: [7, 7, 7, 7] }), /rollouts have promptOf = /],
  ['advantages that are too few', rollouts({ advantages: [1] }), /rollouts have advantages = \[1\]/],
  [
    'entropy',
    edit(({ state }) => ({ state: { ...state, entropy: 'high' } })),
    /entropy must be \{ entropyCoef, lastEntropy \}, not "high"/,
  ],
  [
    'an optimizer without steps',
    tensors('optimizer.safetensors', (all) => all.delete('step')),
    /optimizer\.safetensors has no tensor "step"/,
  ],
  ['an optimizer with half a step', step(1.5), /"step" must be a whole number from 0, not 1\.5/],
  ['an optimizer without end', step(Infinity), /"step" must be a whole number from 0, not Infinity/],
  [
    'an optimizer of another shape',
    tensors('optimizer.safetensors', (all) =>
      all.set([...all.keys()].find((name) => name.endsWith('exp_avg'))!, { shape: [3], data: new Float32Array(3) }),
    ),
    /optimizer\.safetensors: tensor ".*exp_avg" has shape \[3\], this model wants \[/,
  ],
  [
    'an optimizer without a moment',
    tensors('optimizer.safetensors', (all) => all.delete([...all.keys()].find((name) => name.endsWith('exp_avg_sq'))!)),
    /optimizer\.safetensors has no tensor ".*exp_avg_sq"/,
  ],
  [
    'an optimizer that is cut short',
    (copy) => truncateSync(join(copy, 'optimizer.safetensors'), 3000),
    /optimizer\.safetensors/,
  ],
];

test('checkpoints that no run has saved are refused before anything of the model has changed', {
  skip: process.platform === 'win32',
}, async () => {
  const folder = temporaryFolder();
  const trainer = newTrainer(await freshModel(), { outputDir: folder, saveSteps: 1, maxSteps: 1, numIterations: 2 });
  await trainer.train();
  const good = join(folder, 'checkpoint-1');
  assert.equal(JSON.parse(readFileSync(join(good, STATE), 'utf8')).state.rollouts.length, 1);
  const resumed = newTrainer(await freshModel(), { outputDir: folder, maxSteps: 1, numIterations: 2 });
  const untouched = structuredClone(outcome(resumed).weights);
  const copy = join(folder, 'copy');
  for (const [name, damage, message] of damages) {
    cpSync(good, copy, { recursive: true });
    damage(copy);
    await assert.rejects(resumed.train({ resumeFromCheckpoint: copy }), (error: Error) => {
      assert.match(error.message, message, name);
      assert.match(
        error.message,
        /^The checkpoint .* cannot be loaded: .*\. Choose another, or train from the start\.$/,
        name,
      );
      return error.name === 'CheckpointError' && error.message.length < 1000;
    });
    assert.deepEqual(outcome(resumed).weights, untouched, name);
    rmSync(copy, { recursive: true });
  }
  await resumed.train({ resumeFromCheckpoint: good });
  assert.deepEqual(outcome(resumed), outcome(trainer));
});
