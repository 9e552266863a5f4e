import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readCells } from '../../kernel/cells/export/cells';
import { programOf } from '../../kernel/cells/export/program';
import { pythonLiteral, snakeCase } from '../../kernel/cells/export/python';
import { packageRoot } from '../../kernel/common/packagePaths';
import { exportNotebook, joylab, writeNotebook, type Cell } from './exporting';

const folder = mkdtempSync(join(tmpdir(), 'joylab-export-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const MODEL = "let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' });";
const REWARD = '/** @reward */\nfunction one() { return 1; }';
const GRPO = '/** @grpo dataset=rows */\nconst config = { maxSteps: 1, numGenerations: 2 };';

function program(...cells: Cell[]): string {
  const list = cells.map((cell) => (typeof cell === 'string' ? { source: cell, tags: [] } : cell));
  return programOf(list, 'test.ipynb').text;
}

test('what training needs is taken, statement by statement; what only tries, shows or measures is not', () => {
  const text = program(
    MODEL,
    'model',
    "const greeting = 'hello';\nconst unused = await model.generate({});\nconsole.log(greeting);",
    'function row(text: string) { const unused = text; return { prompt: greeting + unused }; }',
    'const rows = [];\nfor (const word of words) { rows.push(row(word)); }\nrows.length',
    "const words = ['a'];",
    'const scale = 1;',
    'const scale = 2;',
    '/** @reward weight=2 */\nfunction scaled({ unused }: any) { return scale; }',
    GRPO,
    "await model.savePretrained('x');",
  );
  for (const taken of ["greeting = 'hello'", 'function row', 'rows.push', 'words = [', 'scale = 2', 'function scaled'])
    assert.ok(text.includes(taken), `${taken}\n${text}`);
  for (const left of ['generate', 'console.log', 'scale = 1', 'savePretrained', 'rows.length'])
    assert.ok(!text.includes(left), `${left}\n${text}`);
  assert.match(text, /^import \{ FastLanguageModel, rewardRegistry \} from 'joylab';$/m);
  assert.match(text, /^rewardRegistry\.register\("scaled", scaled, \{"weight":2\}\);$/m);
  assert.match(text, /^export default \{ config: config, model: model, env: null, dataset: rows \};$/m);
});

test('a cell with the tag "export" is taken whole, and so is one that names the registry', () => {
  const text = program(
    MODEL,
    'const rows = [{ prompt: "a" }];',
    { source: 'globalThis.answer = 42;', tags: ['export'] },
    "rewardRegistry.register('direct', () => 1);",
    GRPO,
  );
  assert.ok(text.includes('globalThis.answer = 42;') && text.includes("register('direct'"));
});

test("the project's notebooks have a part that trains", () => {
  for (const name of ['atari', '2048', 'gpt-oss']) {
    const { text } = programOf(readCells(join(packageRoot, 'notebooks', `${name}.ipynb`)), name);
    assert.match(text, /^const env = await openenv\(/m);
    assert.match(text, /^export default \{ config: config, model: model, env: env, dataset: dataset \};$/m);
    assert.doesNotMatch(text, /model\.(generate|savePretrained)|executeWithTimeLimit\(/);
  }
});

test('settings of GPUs go into the script: the notebook of gpt-oss', () => {
  const notebook = join(folder, 'gpt-oss.ipynb');
  const text = readFileSync(join(packageRoot, 'notebooks', 'gpt-oss.ipynb'), 'utf8');
  writeFileSync(notebook, text.replace('const randomWeights = true;', 'const randomWeights = false;'));
  const output = join(folder, 'gpt-oss');
  const { status, stderr } = joylab(['export', notebook, '--to', 'trl', '-o', output]);
  assert.equal(status, 0, stderr);
  const script = readFileSync(join(output, 'train.py'), 'utf8');
  for (const setting of [
    /"unsloth\/gpt-oss-20b-BF16"/,
    /"r": 4,/,
    /"lora_alpha": 8,/,
    /"max_steps": 600,/,
    /"num_generations": 2,/,
    /"learning_rate": 0\.00005,|"learning_rate": 5e-0?5,/,
    /"warmup_steps": 0\.1,/,
    /"optim": "adamw_8bit",/,
    /"reasoning_effort": "low"/,
  ])
    assert.match(script, setting);
});

test('a class of an @openenv cell is served with the schema of its types, and the prompt tells of it', () => {
  const output = join(folder, 'served');
  const said = exportNotebook(
    [
      MODEL,
      `import { Environment } from 'joylab';
type Move = { move: 'LEFT' | 'RIGHT' };
/** Walk to the door.
 * @openenv */
class Walk extends Environment<Move, { position: number }> {
  position = 0;
  reset() { this.position = 0; return { observation: { position: 0 } }; }
  step({ move }: Move) {
    this.position += move === 'LEFT' ? -1 : 1;
    return { observation: { position: this.position }, reward: this.position, done: this.position > 3 };
  }
}`,
      REWARD,
      '/** @grpo */\nconst config = { maxSteps: 1, numGenerations: 2, capUnplayed: false, measureReference: false };',
    ],
    output,
    folder,
  );
  assert.deepEqual(readdirSync(output), [
    'README.md',
    'dataset.jsonl',
    'joylab_rewards.py',
    'model',
    'notebook.ts',
    'requirements.txt',
    'train.py',
  ]);
  assert.match(readFileSync(join(output, 'notebook.ts'), 'utf8'), /"enum": \[\s*"LEFT",\s*"RIGHT"\s*\]/);
  assert.match(
    JSON.parse(readFileSync(join(output, 'dataset.jsonl'), 'utf8').split('\n')[0]).prompt[0].content,
    /LEFT/,
  );
  assert.match(said, /Not exported: cells after training/);
  assert.doesNotMatch(said, /capUnplayed/);
});

test('what cannot be exported is a sentence, and nothing is left behind', () => {
  const rows = 'const rows = [{ prompt: "a" }];';
  const refused = (...cells: Cell[]) => {
    const output = join(folder, 'refused');
    const { status, stderr } = joylab(['export', writeNotebook(cells, folder), '--to', 'trl', '-o', output]);
    assert.equal(status, 1, stderr);
    assert.ok(!existsSync(output));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('refused')),
      [],
    );
    return stderr;
  };
  assert.match(refused(MODEL, REWARD), /notebook\.ipynb has no @grpo cell: what it would train is not known/);
  assert.match(
    refused(rows, REWARD, GRPO),
    /no cell above the @grpo cell declares the model: name it, @grpo model=NAME/,
  );
  assert.match(
    refused(MODEL, 'const rows = [{ prompt: tokenizer.decode([1]) }];', REWARD, GRPO),
    /does not run on its own: .*tokenizer\.decode is used where an exported notebook has no tokenizer/,
  );
  assert.match(refused(MODEL, rows, GRPO), /does not run on its own: .*There is no reward function/);
  assert.match(
    refused(MODEL, rows, REWARD, '/** @grpo dataset=rows weight=2 */\nconst config = {};'),
    /code cell 4: @grpo has no argument "weight"/,
  );
  assert.match(joylab(['export', 'x.ipynb']).stderr, /usage: joylab export NOTEBOOK --to trl\|hf-job \[-o FOLDER\]/);
  assert.match(joylab(['export', join(folder, 'no.ipynb'), '--to', 'trl']).stderr, /there is no notebook at/);
  writeFileSync(join(folder, 'broken.ipynb'), '{');
  assert.match(joylab(['export', join(folder, 'broken.ipynb'), '--to', 'trl']).stderr, /broken\.ipynb is no notebook/);
});

test("settings become Python's", () => {
  assert.equal(snakeCase('perDeviceTrainBatchSize'), 'per_device_train_batch_size');
  assert.equal(
    pythonLiteral({ a: [true, null, 0.5, 'x"y'], b: {} }),
    '{\n    "a": [True, None, 0.5, "x\\"y"],\n    "b": {},\n}',
  );
});
