import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MimeBundle } from '../../../kernel/display';
import { diffText, lineDiff } from '../../../kernel/display/training/diff';
import { lineageOf, Programs } from '../../../kernel/grpo/refinement/programs';
import { ProgramSearch } from '../../../kernel/grpo/refinement/search';
import { resolveRefinement } from '../../../kernel/grpo/refinement/settings';
import { databaseOf, evaluation } from './fixtures';

test('an edit as a line diff: as little as possible is changed', () => {
  const before = 'a\nb\nc\nd';
  const after = 'a\nx\nc\nd\ne';
  assert.equal(diffText(lineDiff(before, after)), '  a\n- b\n+ x\n  c\n  d\n+ e');
  assert.deepEqual(lineDiff('a', 'a'), [{ kind: 'kept', text: 'a' }]);
  const rebuilt = (kinds: string[]) =>
    lineDiff(before, after)
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ text }) => text)
      .join('\n');
  assert.deepEqual([rebuilt(['kept', 'removed']), rebuilt(['kept', 'added'])], [before, after]);
});

test('a lineage goes back to the first ancestor, also past those that live no more, and can be read everywhere', () => {
  const database = databaseOf([[1]], { numIslands: 1, archiveSize: 2 }, () => ({
    code: 'function strategy(state) {\n  return state.x < 3 ? "A" : "B";\n}',
  }));
  const add = (code: string, parent: number, fitness: number, gain: number) =>
    database.add({
      code,
      parent,
      generation: parent,
      islands: [0],
      evaluations: [evaluation(fitness), evaluation(fitness)],
      cell: code,
      gain,
    });
  add('function strategy(state) {\n  return state.x < 5 ? "A" : "B";\n}', 1, 6, 5);
  add('function strategy(state) {\n  return state.x < 7 ? "A" : "B";\n}', 2, 9, 2.5);
  add('other', 1, 8, 7);
  database.trim();
  const entries = lineageOf(database, 3);
  assert.deepEqual(
    entries.map(({ program, worth }) => [program.id, worth === null]),
    [
      [1, true],
      [2, true],
      [3, false],
    ],
  );

  const empty = ProgramSearch.start({ ...resolveRefinement(true)!, seed: 1 });
  const search = ProgramSearch.fromJSON(
    { ...empty.toJSON(), ...database.toJSON() },
    { ...resolveRefinement({ numIslands: 1 })!, seed: 1 },
  );
  const programs = new Programs(() => search);
  assert.equal(programs.best()!.id, 3);
  const bundle = (value: object) => (value as any)[Symbol.for('Jupyter.display')]() as MimeBundle;
  const { 'text/plain': text, 'text/html': html } = bundle(programs.lineage()) as Record<string, string>;
  assert.match(
    text,
    /Program 1: step 1\n {2}function[^]*Program 2: step 2, gain \+5 in its first episode\n {2}function strategy\(state\) \{\n- {3}return state\.x < 3[^]*Program 3: step 3, gain \+2\.50 in its first episode, worth/,
  );
  assert.match(html, /<del [^>]*> {2}return state\.x &lt; 3 \? &quot;A&quot;[^]*<ins [^>]*> {2}return state\.x &lt; 5/);
  assert.match(String(bundle(programs)['text/plain']), /^2 programs\n\nprogram +parent +step +worth/);
  const tree = programs.tree();
  assert.deepEqual(
    tree.programs.map(({ id }) => id),
    [1, 2, 3, 4],
  );
  assert.deepEqual(tree.edits, [
    { kind: 'numbers changed', count: 2, better: 1, meanGain: 3.75 },
    { kind: 'lines changed', count: 1, better: 1, meanGain: 7 },
  ]);
  const drawn = bundle(tree) as Record<string, string>;
  assert.match(
    drawn['text/plain'],
    /The way to the best: 1 \(step 1, [\d.]+\) → 2 \(step 2, [\d.]+\) → 3 \(step 3, [\d.]+\)\n\nedits/,
  );
  const svg = Buffer.from(/base64,([^"]+)"/.exec(drawn['text/html'])![1], 'base64').toString();
  assert.equal(svg.match(/<circle/g)?.length, 4);
  assert.equal(svg.match(/<path/g)?.length, 3);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  assert.throws(
    () => programs.lineage(77),
    /There is no program 77 any more\. Those that are kept: trainer\.programs\.ranking\(2\)/,
  );
  assert.throws(() => new Programs(() => null).lineage(), /There are no programs yet: train with refinement first/);
});
