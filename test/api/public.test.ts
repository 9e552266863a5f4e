import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { joylabExports } from '../../kernel/cells/directives/autoImport';
import { buildRoot, packageRoot } from '../../kernel/common/packagePaths';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
});
after(() => kernel.stop());

test('a notebook has about 100 public names; each is in joylab/internal, too', () => {
  const names = joylabExports();
  assert.ok(names.size <= 108, `${names.size} public names: is each of them for notebooks?`);
  const [few, all] = ['index', 'internal'].map((file) => require(join(buildRoot, 'kernel', file)));
  for (const name of Object.keys(few)) assert.equal(few[name], all[name], name);
  assert.ok(Object.keys(few).length < Object.keys(all).length);
});

test('joylab/internal works in a cell, with types', async () => {
  await kernel.run("import { RandomSource, RewardRegistry, type EpisodeSpec } from 'joylab/internal';");
  assert.equal(await kernel.run('new RewardRegistry().list().length'), '0');
  assert.match(
    (await kernel.execute('const spec: EpisodeSpec = 3;')).reply.content.evalue,
    /Type 'number' is not assignable/,
  );
  assert.match(
    (await kernel.execute("import { RandomSource as Other } from 'joylab';")).reply.content.evalue,
    /no exported member 'RandomSource'|has no exported member/,
  );
});

test('package.json offers all', () => {
  const { exports } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  for (const name of ['.', './internal', './widgets'])
    assert.ok(existsSync(exports[name].replace(/^\.\/dist/, buildRoot)), exports[name]);
});

test('a setting that had another name, or that others have, is answered with what to do', async () => {
  assert.match(
    await kernel.fail("import type { GRPOConfig } from 'joylab'; const a: GRPOConfig = { strategySeconds: 3 };"),
    /strategySeconds: it is now strategyTimeLimit\./,
  );
  assert.match(
    await kernel.fail("import type { GRPOConfig } from 'joylab'; const b: GRPOConfig = { maxPromptLength: 9 };"),
    /maxPromptLength: prompts are never cut: shorten the prompt\./,
  );
  assert.match(
    await kernel.fail('/** @reward seconds=60 */\nfunction one() { return 1; }'),
    /@reward seconds is now timeLimit: timeLimit=2\./,
  );
});

test('a setting is completed, and shown with its sentence and default', async () => {
  const cell = "import type { GRPOConfig } from 'joylab'; const c: GRPOConfig = { numGenerat";
  const { content } = await kernel.request('shell', 'complete_request', { code: cell, cursor_pos: cell.length });
  assert.deepEqual(content.matches.slice(0, 2).sort(), ['numGenerations', 'numGenerationsEval']);
  const shown = async (setting: string) => {
    const code = `import type { GRPOConfig } from 'joylab'; const d: GRPOConfig = { ${setting}: undefined };`;
    const { content } = await kernel.request('shell', 'inspect_request', {
      code,
      cursor_pos: code.indexOf(setting) + 2,
      detail_level: 0,
    });
    return content.data['text/plain'] as string;
  };
  assert.match(await shown('numGenerations'), /numGenerations\?: number[^]*Completions of a group: .* 8 by default/);
  assert.match(await shown('learningRate'), /learningRate\?: number[^]*Peak learning rate\. 1e-6 by default\./);
  assert.match(await shown('lossType'), /lossType\?: .*"grpo".*[^]*'dapo' by default\./);
  assert.match(await shown('saveSteps'), /saveSteps\?: number[^]*500 by default\./);
});
