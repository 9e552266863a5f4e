import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractFunction } from '../../kernel/strategy';

const CODE = 'function strategy(state) {\n  return "LEFT";\n}';
const fenced = (code: string, language = 'ts', ticks = '```'): string => `${ticks}${language}\n${code}\n${ticks}`;

test('takes the code of a fence in each of the languages', () => {
  for (const language of ['ts', 'typescript', 'js', 'javascript', '', 'TypeScript']) {
    assert.equal(extractFunction(fenced(CODE, language)), CODE);
  }
});

test('ignores the text around, and takes helpers along', () => {
  const code = `const far = 3;\nfunction near(x: number) { return x < far; }\n${CODE}`;
  assert.equal(extractFunction(`Here it is:\n\n${fenced(code)}\nIt follows the ball.`), code);
});

test('takes arrow functions and functions with types', () => {
  for (const code of [
    'const strategy = (state) => "LEFT";',
    'let strategy: Strategy = () => 0',
    'function strategy<T>(state: T): string { return "A" }',
  ]) {
    assert.equal(extractFunction(fenced(code)), code);
  }
});

test('skips blocks of other languages and blocks without the function; takes the last that has it', () => {
  const other = fenced('function helper() {}');
  const python = fenced('def strategy(state): pass', 'python');
  const json = fenced(CODE, 'json');
  const first = fenced('function strategy() { return 1 }');
  assert.equal(
    extractFunction([other, first, python, json, fenced(CODE), other, fenced('strategy({})')].join('\n')),
    CODE,
  );
  assert.equal(
    extractFunction([fenced(CODE), '```ts\nfunction strategy() {'].join('\n')),
    CODE,
    'the last was cut off',
  );
});

/** What a model wrote while it thought, and its answer. */
const draft = fenced('function strategy() { return "draft"; }');
const answer = fenced(CODE);
const CUT = '```ts\nfunction strategy() { return "draft"; }';

const THINKING: Record<string, string> = {
  'a draft, then the answer': `<think>\n${draft}\n</think>\n\n${answer}`,
  'thinking began in the prompt': `Let me see.\n${draft}\n</think>\n\n${answer}`,
  'a draft that was left': `<think>\n${CUT}\n</think>\n\n${answer}`,
  'a draft that was left, thinking began in the prompt': `${CUT}\n</think>\n\n${answer}`,
  'several times': `<think>\n${draft}\n</think>\n${draft}\n<think>\n${draft}\n</think>\n${answer}`,
  'thinking after the answer': `<think>\n${draft}\n</think>\n${answer}\n<think>\n${draft}\n</think>\nDone.`,
  'thinking after the answer, cut off': `${answer}\n<think>\n${draft}\n`,
  'thinking within thinking': `<think>\n<think>\n${draft}\n</think>\n${draft}\n</think>\n${answer}`,
  'nothing was thought': `<think>\n\n</think>\n\n${answer}`,
  'the answer begins on the line of the mark': `<think>${draft}</think>${answer}`,
  'marks that are spoken of': `<think>I write <think>, then \`</think>\`.\n${draft}\n</think>\nAs "</think>" says:\n${answer}`,
  'marks in a draft': `<think>\n\`\`\`ts\nconst a = \`x </think> y\`;\nfunction strategy() {}\n\`\`\`\nGood.\n</think>\n${answer}`,
  'another language in thinking': `<think>\n${fenced('x = 1', 'python')}\n${CUT}\n</think>\n${answer}`,
  '<thinking>': `<thinking>\n${draft}\n</thinking>\n${answer}`,
  '<reasoning>': `<reasoning>\n${draft}\n</reasoning>\n<answer>\n${answer}\n</answer>`,
  '<THINK>': `<THINK>\n${draft}\n</THINK>\n${answer}`,
  Kimi: `◁think▷\n${draft}\n◁/think▷${answer}`,
  Mistral: `[THINK]\n${draft}\n[/THINK]${answer}`,
  Cohere: `<|START_THINKING|>${draft}<|END_THINKING|><|START_RESPONSE|>\n${answer}`,
  Seed: `<seed:think>\n${draft}\n</seed:think>${answer}`,
  Gemma: `<|channel>thought\n${draft}\n<channel|>${answer}`,
  'gpt-oss': `<|channel|>analysis<|message|>Hm.\n${draft}\n<|end|><|start|>assistant<|channel|>final<|message|>${answer}<|return|>`,
  'gpt-oss without special tokens': `analysisHm.\n${draft}\nassistantfinal${answer}`,
  'prose that begins like gpt-oss': `analysis of the game:\n${answer}`,
};

test('takes the answer, not what was thought before', () => {
  for (const [title, completion] of Object.entries(THINKING)) {
    assert.equal(extractFunction(completion), CODE, title);
    assert.equal(
      extractFunction(completion.replaceAll(answer, 'No code.')),
      title === 'several times' ? 'function strategy() { return "draft"; }' : null,
      `${title}: a draft alone`,
    );
  }
  for (const cut of [`<think>\n${draft}\n`, `<|channel|>analysis<|message|>${draft}\n`, `analysisHm.\n${draft}\n`])
    assert.equal(extractFunction(cut), null, cut);
});

test('marks of thinking in the code of an answer are text', () => {
  const code = `const a = "</think>", b = \`so </think> <think>\`;\n// <think>\n/*\n</think>\n*/\n${CODE}`;
  for (const before of ['', '<think>\nHm.\n</think>\n', `${draft}\n</think>\n`])
    assert.equal(extractFunction(before + fenced(code)), code, before);
});

test('takes time in proportion to the length, whatever is written', () => {
  const N = 50_000;
  const written = [
    '`'.repeat(N),
    '```\n'.repeat(N),
    '<think>'.repeat(N),
    '</think>\n'.repeat(N),
    '```ts\n</think>\n'.repeat(N),
    `\`\`\`${' '.repeat(N)}a b`,
    fenced('\n'.repeat(N)),
    fenced(`function${' '.repeat(N)}x`),
    fenced('export '.repeat(N)),
    fenced('function\n'.repeat(N)),
    '\r'.repeat(N),
    '"</think>"'.repeat(N),
    Array.from({ length: 400 }, (_, i) => '`'.repeat(i + 3)).join('\n'),
    Array.from({ length: 400 }, (_, i) => `${'`'.repeat(403 - i)}ts`).join('\n'),
  ];
  for (const text of written) {
    const start = process.cpuUsage().user;
    extractFunction(text);
    assert.ok(process.cpuUsage().user - start < 1e6, text.slice(0, 20));
  }
});

test('a longer fence holds shorter ones', () => {
  const code = `/*\n\`\`\`\n*/\n${CODE}`;
  assert.equal(extractFunction(fenced(code, 'ts', '````')), code);
});

test('gives null where there is nothing to take', () => {
  const none = [
    '',
    'no code',
    CODE,
    '`' + CODE + '`', // no fence
    '```ts\n' + CODE, // cut off
    'Here: ```ts\n' + CODE + '\n```', // the fence does not begin its line
    fenced('function other() {}'),
    fenced('strategy(1)'),
    fenced('// function strategy'),
  ];
  for (const text of none) assert.equal(extractFunction(text), null, text);
});

test("takes a strategy with an error in it: to find that is the check's task", () => {
  const broken = 'function strategy(state) {\n  return +;\n}';
  assert.equal(extractFunction(fenced(broken)), broken);
});

test('carriage returns end lines, too', () => {
  assert.equal(extractFunction(fenced(CODE).replaceAll('\n', '\r\n')), CODE);
});
