import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../kernel/setup/python';
import { JupyterPrefix } from './prefix';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

test('papermill runs the Atari notebook as it is, with fewer steps of training', { timeout: 600_000 }, () => {
  jupyter.python('-m', 'papermill', join(packageRoot, 'notebooks', 'atari.ipynb'), 'out.ipynb', '--no-progress-bar', '-p', 'maxSteps', '1');
  const code = jupyter.read('out.ipynb').cells.filter((cell: { cell_type: string }) => cell.cell_type === 'code');
  const injected = code.find((cell: any) => cell.metadata.tags?.includes('injected-parameters'));
  assert.match(injected.source.join(''), /const maxSteps = 1;/);
  assert.deepEqual(code.map((cell: any) => cell.metadata.papermill.status), code.map(() => 'completed'));
  const outputs = code.flatMap((cell: any) => cell.outputs);
  const trainings = outputs.map(({ data }: any) => data?.['application/vnd.joylab.training.v1+json']).filter(Boolean);
  assert.deepEqual(trainings.map(({ maxSteps }: any) => maxSteps), [1]);
  assert.ok(trainings[0].log.some(({ step, reward }: any) => step === 1 && Number.isFinite(reward)));
});
