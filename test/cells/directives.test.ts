import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ENVIRONMENT_MIME } from '../../kernel/display/mime';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => (kernel = await TestKernel.start()));
after(() => kernel.stop());

const rewards = () =>
  kernel.run(
    "import { rewardRegistry } from 'joylab'; JSON.stringify(rewardRegistry.list().map(({ name, weight }) => [name, weight]))",
  );
const clear = () => kernel.run("import { rewardRegistry } from 'joylab'; rewardRegistry.clear()");

test('a misspelt directive names the valid ones, at its place', async () => {
  const error = await kernel.fail('// first line\n/** @rewrad */\nfunction score() { return 1; }');
  assert.match(
    error,
    /^DirectiveError: There is no directive @rewrad\. Did you mean @reward\? Valid: @openenv, @reward, @grpo\./,
  );
  assert.match(error, /> 2 \| \/\*\* @rewrad \*\/\n {4}\| {6}\^{6}\n/);
});

test('an unknown argument, or a wrong value, names the valid ones', async () => {
  assert.match(
    await kernel.fail('/** @reward wieght=2 */\nfunction score() { return 1; }'),
    /@reward has no argument "wieght"\. Valid: weight \(number\), timeLimit \(number\), off \(boolean\)\.[^]*\^{8}\n/,
  );
  assert.match(
    await kernel.fail('/** @reward weight=heavy */\nfunction score() { return 1; }'),
    /weight=heavy is not a number\. Write weight=2\./,
  );
  assert.match(
    await kernel.fail('/** @reward weight */\nfunction score() { return 1; }'),
    /@reward weight needs a value/,
  );
  assert.match(await kernel.fail('/** @openenv card=maybe */\nconst x = 1;'), /card=maybe is neither true nor false/);
  assert.match(await kernel.fail('/** @grpo model=3x */\nconst config = {};'), /does not name a variable/);
});

test('a misspelt argument or variable names the one that was meant', async () => {
  assert.match(
    await kernel.fail('/** @grpo datset=dataset */\nconst c = {};'),
    /@grpo has no argument "datset"\..* Did you mean dataset\?/,
  );
  assert.match(
    await kernel.fail('/** @openenv card=ture */\nconst c = {};'),
    /card=ture is neither true nor false\. Did you mean true\?/,
  );
  assert.match(
    await kernel.fail('const prompts = [];\n/** @grpo model=promts */\nconst c = {};'),
    /there is no variable promts\. Did you mean prompts\?/,
  );
});

test('a directive may follow text on its line', async () => {
  await clear();
  await kernel.run('/** Scores. @reward weight=3 */\nfunction described() { return 1; }');
  assert.equal(await rewards(), `'[["described",3]]'`);
});

test('documentation comments are left alone', async () => {
  await kernel.run(
    '/**\n * Adds.\n * @param a the first\n * @returns the sum\n */\nfunction add(a: number) { return a; }',
  );
  await kernel.run('/** @deprecated */\nfunction old() {}');
  await kernel.run('/** Something with @mycompany tags.\n * @internalTag yes\n */\nconst y = 1;');
  await kernel.run('const text = "/** @rewrad */";');
});

test('@reward registers the functions of its cell, with weight', async () => {
  await clear();
  await kernel.run(
    '/** @reward weight=2 */\nfunction one({ episode }: Sample) { return episode ? 1 : null; }\nconst two = (sample: Sample) => 2;',
  );
  assert.equal(await rewards(), `'[["one",2],["two",2]]'`);
});

test('@reward before several functions: each its own, helpers are not registered', async () => {
  await clear();
  await kernel.run(`/** @reward */
function survives({ episode }: Sample) { return episode ? half(episode.steps) : null; }
/**
 * The score.
 * @reward weight=3
 */
function scores({ episode }: Sample) { return episode ? episode.return : null; }
function half(x: number) { return x / 2; }`);
  assert.equal(await rewards(), `'[["survives",1],["scores",3]]'`);
});

test('@reward without a function says what to write', async () => {
  assert.match(await kernel.fail('/** @reward */\nconst x = 1;'), /@reward found no function\. Write one below/);
});

test("joylab's names need no import in a cell with a directive, and lines and columns stay", async () => {
  assert.match(
    await kernel.fail('/** @reward */ function f(s: Sample) { return s.nothing; }'),
    /line 1, column 49: error TS2339: Property 'nothing' does not exist on type 'Sample'/,
  );
  const error = await kernel.fail("/** @reward */ throw new Error('x');\nfunction f(s: Sample) { return 1; }");
  assert.match(error, /line 1, column 22/);
});

test("a name that the notebook declares is not joylab's", async () => {
  await kernel.run('type Sample = { mine: number };');
  await kernel.run('/** @reward */\nfunction mine(sample: Sample) { return sample.mine; }');
});

test('@openenv shows the card of what the cell declares', async () => {
  const declare = "const world = { card: async () => ({ 'text/html': '<b>card</b>' }) };\nconst other = 5;";
  const { outputs } = await kernel.execute(`/** @openenv */\n${declare}`);
  assert.deepEqual(
    outputs.map(({ content }) => content.data),
    [{ 'text/html': '<b>card</b>' }],
  );
  assert.deepEqual((await kernel.execute(`/** @openenv card=false */\n${declare}`)).outputs, []);
});

test('@grpo says which cell is missing', async () => {
  assert.match(
    await kernel.fail('/** @grpo */\nconst config: GRPOConfig = { maxSteps: 1 };'),
    /@grpo needs a model, and the notebook has none yet\. Run a cell above with: .*fromPretrained/,
  );
  assert.match(await kernel.fail('/** @grpo */\nlet notConst = {};'), /@grpo found no configuration/);
  assert.match(
    await kernel.fail('/** @grpo model=agent */\nconst config: GRPOConfig = {};'),
    /there is no variable agent/,
  );
  assert.match(
    await kernel.fail('/** @grpo model=world */\nconst config: GRPOConfig = {};'),
    /the variable world is not a model/,
  );
});

test('@grpo says which of several models it trains, and takes its tokenizer', { timeout: 120_000 }, async () => {
  const fresh = await TestKernel.start();
  try {
    await fresh.run(`
      import { FastLanguageModel, openenv } from 'joylab';
      const { model: first } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });
      const adapted = FastLanguageModel.getPeftModel(first, { r: 2 });
      const env = await openenv('game2048');
      const rows = [{ prompt: 'function' }];`);
    // A tokenizer of another model, whose tokens this one does not have.
    await fresh.run('const other = { encode: () => [1e6], decode: () => "?", applyChatTemplate: () => [1e6] };');
    await fresh.run('/** @reward */\nfunction short({ completion }: Sample) { return -completion.length; }');
    const train = (directive: string) =>
      fresh.run(
        `/** ${directive} dataset=rows */\nconst config: GRPOConfig = { maxSteps: 1, numGenerations: 2, maxCompletionLength: 4 };`,
      );
    assert.doesNotMatch(await train('@grpo'), /Trains/, 'a model and its base are one');
    await fresh.run(
      "const { model: second } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });",
    );
    assert.match(
      await train('@grpo'),
      /^Trains second, the newest model of the notebook\. For another: @grpo model=first, or model=adapted\.\n/,
    );
    assert.doesNotMatch(await train('@grpo model=adapted'), /Trains/);
  } finally {
    await fresh.stop();
  }
});

test('completion in the comment: directives, arguments, values', async () => {
  const complete = async (code: string) => {
    const { content } = await kernel.request('shell', 'complete_request', { code, cursor_pos: code.length });
    return content.matches.map((match: string) => code.slice(0, content.cursor_start) + match);
  };
  await kernel.run('const policy = 1;');
  assert.deepEqual(await complete('/** @re'), ['/** @reward']);
  assert.deepEqual(await complete('/**\n * @'), ['/**\n * @openenv', '/**\n * @reward', '/**\n * @grpo']);
  assert.deepEqual(await complete('/** @reward '), [
    '/** @reward weight=',
    '/** @reward timeLimit=',
    '/** @reward off=',
  ]);
  assert.deepEqual(await complete('/** @grpo model=pol'), ['/** @grpo model=policy']);
  assert.deepEqual(await complete('/** @openenv card=f'), ['/** @openenv card=false']);
});

test('@openenv shows the card at once, then what chance gets; not of a class, unless it is asked for', async () => {
  const cards = async (code: string): Promise<Array<{ type: string; text: string; measuring?: boolean }>> => {
    const { outputs } = await kernel.execute(code);
    const told = outputs.filter(({ content }: any) => content.data?.[ENVIRONMENT_MIME]);
    return told.map(({ header, content: { data } }: any) => ({
      type: header.msg_type,
      text: data['text/plain'],
      measuring: data[ENVIRONMENT_MIME].measuring,
    }));
  };
  await kernel.run("process.env.JOYLAB_CACHE = '';");
  const shown = await cards(
    "import { Environment, openenv } from 'joylab';\n/** @openenv */\nconst board = await openenv('game2048');",
  );
  // One that takes longer says so.
  const measured = shown.filter(({ measuring }) => !measuring);
  assert.deepEqual(
    measured.map(({ type, text }) => [type, /return in 1,000 steps: .*chance \d/.test(text)]),
    [
      ['display_data', false],
      ['update_display_data', true],
    ],
  );
  const again = await cards("/** @openenv */\nconst other = await openenv('game2048');");
  assert.deepEqual(
    again.map(({ type, text }) => [type, /return in/.test(text)]),
    [['display_data', true]],
    'what is known is there at once',
  );

  const fast = (head: string) =>
    cards(
      `/** ${head} */\nclass Fast extends Environment<{ go: boolean }, { at: number }> {\n  reset() { return { observation: { at: 0 } }; }\n  step({ go }: { go: boolean }) { return { observation: { at: 1 }, reward: go ? 1 : 0, done: true }; }\n}`,
    );
  assert.deepEqual(
    (await fast('@openenv')).map(({ text }) => /return in/.test(text)),
    [false],
  );
  assert.match(
    (await fast('@openenv reference')).at(-1)!.text,
    /return in 1,000 steps: always false 0 · chance 0\.\d+ · always true 1/,
  );
});

test('inspection in the comment shows the documentation', async () => {
  const inspect = async (code: string, at: string) =>
    (await kernel.request('shell', 'inspect_request', { code, cursor_pos: code.indexOf(at) + 1, detail_level: 0 }))
      .content.data['text/plain'];
  assert.match(
    await inspect('/** @reward weight=2 */', 'reward'),
    /^@reward\nRegisters each function[^]*weight \(number\): /,
  );
  assert.match(await inspect('/** @reward weight=2 */', 'weight'), /^weight \(number\): Factor/);
});
