import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neededCells } from '../../kernel/cells/compile/program/chain';

const cell = (name: string, declares: string[], mentions: string[] = []) => ({
  name,
  declares: new Set(declares),
  mentions: new Set(mentions),
});
const needed = (...cells: Array<ReturnType<typeof cell>>) => neededCells(cells).map(({ name }) => name);

test('a cell that is run again replaces itself', () => {
  assert.deepEqual(needed(cell('1', ['v:a'], ['a']), cell('2', ['v:a'], ['a']), cell('3', ['v:a'], ['a'])), ['3']);
});

test('a cell stays while one of its names is visible', () => {
  assert.deepEqual(needed(cell('1', ['v:a', 't:T']), cell('2', ['v:a'])), ['1', '2']);
});

test('a cell stays while a needed cell means its name', () => {
  assert.deepEqual(needed(cell('1', ['v:a']), cell('2', ['v:f'], ['a']), cell('3', ['v:a'])), ['1', '2', '3']);
  assert.deepEqual(
    needed(cell('1', ['v:a']), cell('2', ['v:f'], ['a']), cell('3', ['v:a']), cell('4', ['v:f'], ['a'])),
    ['3', '4'],
  );
});

test('two cells that are run in turn leave one of each', () => {
  const cells = Array.from({ length: 10 }, (_, i) =>
    i % 2 === 0 ? cell(`a${i}`, ['v:a']) : cell(`f${i}`, ['v:f'], ['a']),
  );
  assert.deepEqual(needed(...cells), ['a8', 'f9']);
});
