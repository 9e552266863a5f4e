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
  for (const code of ['const strategy = (state) => "LEFT";', 'let strategy: Strategy = () => 0', 'function strategy<T>(state: T): string { return "A" }']) {
    assert.equal(extractFunction(fenced(code)), code);
  }
});

test('skips blocks of other languages and blocks without the function; takes the first that has it', () => {
  const other = fenced('function helper() {}');
  const python = fenced('def strategy(state): pass', 'python');
  const json = fenced(CODE, 'json');
  assert.equal(extractFunction([other, python, json, fenced(CODE), fenced('function strategy() { return 1 }')].join('\n')), CODE);
});

test('a longer fence holds shorter ones', () => {
  const code = `/*\n\`\`\`\n*/\n${CODE}`;
  assert.equal(extractFunction(fenced(code, 'ts', '````')), code);
});

test('gives null where there is nothing to take', () => {
  const none = [
    '', 'no code', CODE, '`' + CODE + '`', // no fence
    '```ts\n' + CODE, // cut off
    'Here: ```ts\n' + CODE + '\n```', // the fence does not begin its line
    fenced('function other() {}'), fenced('strategy(1)'), fenced('// function strategy'),
  ];
  for (const text of none) assert.equal(extractFunction(text), null, text);
});

test('takes a strategy with an error in it: to find that is the check\'s task', () => {
  const broken = 'function strategy(state) {\n  return +;\n}';
  assert.equal(extractFunction(fenced(broken)), broken);
});

test('carriage returns end lines, too', () => {
  assert.equal(extractFunction(fenced(CODE).replaceAll('\n', '\r\n')), CODE);
});
