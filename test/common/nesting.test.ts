import assert from 'node:assert/strict';
import test from 'node:test';
import { checkNesting, checkTextNesting, MAXIMUM_NESTING, NestingError, parseJson } from '../../kernel/common/nesting';

/** Arrays inside one another, and the same as text. */
function nested(depth: number): [value: unknown, text: string] {
  let value: unknown = [];
  for (let i = 1; i < depth; i++) value = i % 2 ? { inner: value } : [value];
  let text = '[]';
  for (let i = 1; i < depth; i++) text = i % 2 ? `{"in\\"[ner":${text}}` : `[${text}]`;
  return [value, text];
}

test('values and texts may be nested to the limit and no deeper', () => {
  const [value, text] = nested(MAXIMUM_NESTING);
  checkNesting(value, 'The action');
  assert.deepEqual(typeof parseJson(text, 'The action'), 'object');
  for (const depth of [MAXIMUM_NESTING + 1, 100_000]) {
    const [deep, deepText] = nested(depth);
    assert.throws(() => checkNesting(deep, 'The action'), {
      name: 'NestingError',
      message: /^The action is nested more than 512 levels deep/,
    });
    if (depth < 1000) assert.throws(() => parseJson(deepText, 'The action'), NestingError);
  }
  assert.throws(() => parseJson('['.repeat(1e6), 'The action'), NestingError);
});

test('what contains itself is refused, what is there many times is not', () => {
  const loop: { inner: unknown[] } = { inner: [] };
  loop.inner.push(loop);
  assert.throws(() => checkNesting(loop, 'It'), NestingError);
  let wide: unknown = [];
  for (let i = 0; i < 200; i++) wide = [wide, wide]; // 2^200 places
  checkNesting(wide, 'It');
});

test('brackets inside strings do not count', () => {
  const text = JSON.stringify(['['.repeat(2000), '\\', '\\"[[['.repeat(500), { '{[': '{'.repeat(2000) }]);
  assert.deepEqual(parseJson(text, 'It'), JSON.parse(text));
  checkTextNesting('"' + '['.repeat(2000), 'It'); // not JSON: the parser says so
  assert.throws(() => parseJson('"[', 'It'), SyntaxError);
});
