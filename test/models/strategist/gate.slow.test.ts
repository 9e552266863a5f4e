import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FastLanguageModel } from '../../../kernel';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';

const run = promisify(execFile);
const PROMPTS = '100';
/** What so many prompts of a form show at least: what 1,000 showed (see the README), less three standard deviations. */
const LEAST_VALID: Record<string, number> = { named: 0.94, schema: 0.93, objects: 0.92 };

/** What the gate says, run with these arguments. */
async function gate(...args: string[]): Promise<Record<string, any>> {
  const script = join(packageRoot, 'kernel/models/strategist/gate.py');
  // Ends with 1 where a figure misses its gate.
  const { stdout } = await run(pythonPath(), [script, '--prompts', PROMPTS, ...args], { maxBuffer: 2 ** 26 }).catch(
    (error: { stdout: string }) => error,
  );
  return JSON.parse(stdout);
}

test('the checkpoint writes and edits programs of every form as its README says', { timeout: 900_000 }, async (t) => {
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({
    modelName: 'joylab/strategist',
    maxSeqLength: 1024,
  });
  const answers: Record<string, [string, string][]> = {};
  for (const [form, prompts] of Object.entries((await gate('--list')) as Record<string, string[]>)) {
    const inputIds = prompts.map((content) =>
      tokenizer.encode(
        tokenizer.applyChatTemplate([{ role: 'user', content }], { tokenize: false, addGenerationPrompt: true }),
        { addSpecialTokens: false },
      ),
    );
    const { sequences, terminated } = await model.generate({
      inputIds,
      maxNewTokens: 384,
      doSample: true,
      temperature: 1,
      seed: 1,
    });
    answers[form] = sequences.map((ids, i) => [
      prompts[i]!,
      terminated[i] ? tokenizer.decode(ids, { skipSpecialTokens: true }) : '',
    ]);
  }
  const folder = mkdtempSync(join(tmpdir(), 'joylab-gate-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'answers.json'), JSON.stringify(answers));
  const figures = await gate('--samples', join(folder, 'answers.json'));
  assert.equal(Object.keys(figures).length, 6);
  for (const [name, of] of Object.entries(figures)) {
    const told = `${name}: ${JSON.stringify(of)}`;
    assert.ok(of.valid > LEAST_VALID[name.split(' ')[0]!]!, told);
    assert.ok(of.names > 0.93, told);
    assert.ok(of.self_comparison < 0.05, told);
    assert.ok((of.identical ?? 0) < 0.09, told);
    assert.ok((of.same_behaviour ?? 0) < 0.2, told);
  }
});
