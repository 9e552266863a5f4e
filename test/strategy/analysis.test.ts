import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stopwatch } from '../../kernel/common/threads/processorTime';
import { checkCode, createLockedDownFunction } from '../../kernel/strategy';

const TYPED = "\nfunction strategy(s: any) { return 'NOOP' }";

/** A few hundred characters that keep TypeScript's parser busy for hours, and much that is only long. */
const endless = (levels: number): string =>
  `type T<A> = A extends ${'(infer U extends '.repeat(levels)}any${' ? 1 : 2)'.repeat(levels)} ? 1 : 2;${TYPED}`;

test('code that takes too long to parse is a problem after a second, and the next is checked as ever', () => {
  const problem = { kind: 'syntax', line: 1, column: 1, reason: 'the code takes too long to parse' };
  const stopwatch = new Stopwatch();
  stopwatch.start();
  assert.deepEqual(checkCode(endless(25)), [problem]);
  assert.deepEqual(checkCode(endless(25)), [problem], 'it is not parsed again');
  assert.ok(stopwatch.elapsed < 1000, 'nothing is parsed in this thread');
  assert.deepEqual(checkCode(`let x: number;${TYPED}`), []);
});

test('a sandbox for such code is refused without blocking', async () => {
  let turns = 0;
  const counting = setInterval(() => turns++, 10);
  await assert.rejects(createLockedDownFunction(endless(26)), {
    name: 'StrategyError',
    reason: 'error',
    message: /takes too long to parse/,
  });
  clearInterval(counting);
  assert.ok(turns > 5, `${turns} turns of the event loop`);
});

test('what is long and harmless has no problem', () => {
  const harmless = [
    `function strategy(s) { return ${'s ? (s) : '.repeat(500)}'NOOP' }`,
    `${';'.repeat(20_000)}${TYPED}`,
    `function strategy(s: any) { ${'if (s.x) return 1; else '.repeat(300)}return 2 }`,
    endless(6),
    `const table: number[] = ${JSON.stringify(Array.from({ length: 5000 }, (_, i) => i))};${TYPED}`,
  ];
  for (const code of harmless) assert.deepEqual(checkCode(code), [], code.slice(0, 40));
});

test('of many problems the first thousand are told, in few words', () => {
  const many = checkCode(`${'fetch;\n'.repeat(5000)}${TYPED}`);
  assert.deepEqual([many.length, many[999].line], [1000, 1000]);
  const name = 'a'.repeat(40_000);
  assert.ok(checkCode(`let ${name}; let ${name};`)[0].reason.length <= 1000);
});

test('whatever is nested is a problem or none, and never worse', () => {
  const nested: [string, string, string][] = [
    ['(', '1', ')'],
    ['[', '', ']'],
    ['`${', '1', '}`'],
    ['{a:', '1', '}'],
    ['(() => ', '1', ')'],
    ['a ? (', 'b', ') : c'],
    ['f<', 'T', '>'],
    ['class extends ', 'Object', '{}'],
    ['new ', 'A', ''],
    ['typeof ', '1', ''],
    ['!', '1', ''],
    ['async (a = ', '1', ') => 1'],
    ['({a = ', '1', '}) => 1'],
  ];
  for (const [open, middle, close] of nested) {
    for (const levels of [20, 20_000]) {
      const found = checkCode(`let x: any = ${open.repeat(levels)}${middle}${close.repeat(levels)};${TYPED}`);
      assert.ok(
        found.every(({ reason }) => !/Maximum call stack/.test(reason)),
        open,
      );
    }
  }
});
