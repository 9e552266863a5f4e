import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../kernel/common/packagePaths';
import { JupyterPrefix } from './prefix';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

/** Runs a notebook with parameters set to 1; gives its outputs. */
function papermill(notebook: string, ...parameters: string[]): any[] {
  jupyter.python(
    '-m',
    'papermill',
    join(packageRoot, 'notebooks', notebook),
    'out.ipynb',
    '--no-progress-bar',
    ...parameters.flatMap((name) => ['-p', name, '1']),
  );
  const code = jupyter.read('out.ipynb').cells.filter((cell: { cell_type: string }) => cell.cell_type === 'code');
  const injected = code.find((cell: any) => cell.metadata.tags?.includes('injected-parameters'));
  assert.match(injected.source.join(''), /const maxSteps = 1;/);
  assert.deepEqual(
    code.map((cell: any) => cell.metadata.papermill.status),
    code.map(() => 'completed'),
  );
  const outputs = code.flatMap((cell: any) => cell.outputs);
  const trainings = outputs.map(({ data }: any) => data?.['application/vnd.joylab.training.v1+json']).filter(Boolean);
  assert.deepEqual(
    trainings.map(({ maxSteps }: any) => maxSteps),
    parameters.map(() => 1),
  );
  for (const { log } of trainings)
    assert.ok(log.some(({ step, reward }: any) => step === 1 && Number.isFinite(reward)));
  return outputs;
}

test('papermill runs the Atari notebook as it is, with fewer steps of training', { timeout: 600_000 }, () => {
  papermill('atari.ipynb', 'maxSteps');
});

test('papermill runs the notebook of gpt-oss with random weights, with fewer steps of training', {
  timeout: 600_000,
}, () => {
  const outputs = papermill('gpt-oss.ipynb', 'maxSteps');
  const text = outputs.map(({ text = '', data }) => [text, data?.['text/plain'] ?? ''].flat().join('')).join('\n');
  assert.match(text, /Random weights: what follows shows that it works/);
  assert.match(text, /TrlPeftModel\(gpt-oss-tiny-model: .*LoRA of rank 4/);
  assert.match(text, /<\|system\|>Reasoning: low/);
  assert.equal(text.trimEnd().split('\n').at(-1), 'true', 'the saved adapter writes the same');
});

test('papermill runs the notebook of 2048 and of an environment in a cell, with fewer steps of training', {
  timeout: 600_000,
}, () => {
  const outputs = papermill('game2048.ipynb', 'maxSteps', 'catchSteps');
  const text = outputs.map(({ text = '', data }) => [text, data?.['text/plain'] ?? ''].flat().join('')).join('\n');
  assert.match(text, /state\.board, array of 16 integers[^]*It returns one action: "UP", "RIGHT", "DOWN", "LEFT"\./);
  assert.match(text, /invalid_action: the strategy returned "JUMP"/);
  assert.match(text, /217 pictures/, 'the same seed plays the same game');
  assert.match(text, /plays Catch\.\nThe state:\nstate\.ball_x from 0 to 20/);
  const episodes = outputs.map(({ data }) => data?.['application/vnd.joylab.episode.v1+json']).filter(Boolean);
  assert.deepEqual(
    episodes.map(({ pictures }) => pictures),
    ['image/svg+xml', 'text/plain'],
  );
});
