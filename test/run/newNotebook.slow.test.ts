import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { JupyterPrefix } from '../jupyter/prefix';
import { joylab } from './joylab';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

for (const [what, args, card] of [
  ['a game that is not Breakout', ['--game', 'pong'], /pong/],
  ['a class in a cell', ['--env', 'catch'], /Catch/],
] as const) {
  test(`a new notebook for ${what} runs from a clean kernel`, { timeout: 600_000 }, () => {
    const { code, stderr } = joylab(jupyter.folder, ['new', 'made', ...args]);
    assert.equal(code, 0, stderr);
    // As it is, but for the length of episodes.
    const file = join(jupyter.folder, 'made.ipynb');
    const text = readFileSync(file, 'utf8');
    const short = text
      .replaceAll('maxSteps: 1000', 'maxSteps: 100')
      .replaceAll(' beta: 0,', ' beta: 0, maxEpisodeSteps: 100,');
    assert.equal(short.match(/maxEpisodeSteps: 100/g)?.length, 2);
    writeFileSync(file, short);
    const parameters = ['-p', 'maxSteps', '2', '-p', 'searchSteps', '1', '-p', 'starts', '4'];
    jupyter.python('-m', 'papermill', 'made.ipynb', 'out.ipynb', '--no-progress-bar', ...parameters);
    const { cells } = jupyter.read('out.ipynb');
    const outputs = cells.flatMap((cell: any) => cell.outputs ?? []);
    const shown = outputs.map(({ text = '', data }: any) => [text, data?.['text/plain'] ?? ''].flat().join(''));
    assert.ok(!outputs.some(({ output_type }: any) => output_type === 'error'));
    assert.ok(shown.some((text: string) => card.test(text)));
    const [training] = outputs
      .map(({ data }: any) => data?.['application/vnd.joylab.training.v1+json'])
      .filter(Boolean);
    assert.equal(training.log.filter(({ reward }: any) => Number.isFinite(reward)).length, 2);
    const [{ groups }] = outputs
      .map(({ data }: any) => data?.['application/vnd.joylab.benchmark.v1+json'])
      .filter(Boolean);
    assert.deepEqual(groups[0].rows.map(({ policy }: any) => policy).sort(), [
      'constant',
      'random',
      'refined',
      'trained',
      'untrained',
    ]);
    assert.match(shown.join('\n'), /^Lineage of program \d+$/m);
    assert.ok(shown.includes('true'), 'the saved adapter writes the same program');
    rmSync(file);
  });
}
