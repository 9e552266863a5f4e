import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { checkCode, createLockedDownFunction, openenv } from '../../../kernel';
import { RandomSource } from '../../../kernel/openenv/serving/randomSource';
import { decisionList, tidied, type DecisionList, type EditorTask } from './decisionList';
import { editorTask } from './editorTask';
import { RandomEditor } from './randomEditor';
import { Emberloom } from './invented/emberloom';
import { Shellfield } from './invented/shellfield';
import { Weirferry } from './invented/weirferry';

/** A task of random names, ranges and actions. */
function randomTask(seed: number): EditorTask {
  const random = new RandomSource(seed);
  const name = (): string => Array.from({ length: 5 }, () => random.choice([...'abcdefgh'])).join('');
  const numbers = Array.from({ length: random.int(seed % 3 === 0 ? 0 : 1, 6) }, () => {
    const minimum = random.choice([0, -20, 0.5]);
    return {
      name: random.next() < 0.3 ? `${name()}.${name()}` : name(),
      minimum,
      maximum: minimum + random.choice([1, 40, 2048, 0.25]),
      whole: random.next() < 0.5,
    };
  });
  const choices = Array.from({ length: numbers.length === 0 ? 2 : random.int(0, 2) }, () => ({
    name: name(),
    values: random.choice([
      [false, true],
      ['"quoted"', 'plain', 'third'],
    ]),
  }));
  const actions = Array.from({ length: random.int(2, 5) }, (_, i) =>
    seed % 2 === 0 ? JSON.stringify(`${name()} ${i}`) : `{ move: ${i} }`,
  );
  return { variables: [...numbers, ...choices], actions };
}

/** A state in which every variable of a task has a value. */
function randomState({ variables }: EditorTask, random: RandomSource): object {
  const state: Record<string, any> = {};
  for (const variable of variables) {
    const value =
      'values' in variable
        ? random.choice(variable.values)
        : variable.minimum + (variable.maximum - variable.minimum) * random.next();
    const [outer, inner] = variable.name.split('.');
    if (inner) Object.assign((state[outer] ??= {}), { [inner]: value });
    else state[outer] = value;
  }
  return state;
}

/** A hundred programs: fresh ones, and edits of edits. */
function programs(task: EditorTask, seed: number): string[] {
  const editor = new RandomEditor(task);
  const made = Array.from({ length: 20 }, (_, i) => editor.fresh(1000 * seed + i));
  while (made.length < 100)
    made.push(
      editor.edit(
        made[made.length - 20],
        1000 * seed + made.length,
        made.length % 2 === 0 ? made[made.length - 1] : undefined,
      ),
    );
  return made;
}

test('programs of random tasks are valid, run, and return actions of the task', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const task = randomTask(seed);
    const random = new RandomSource(seed);
    const actions = task.actions.map((source) => JSON.stringify(new Function(`return ${source}`)()));
    const returned = new Set<string>();
    const written = programs(task, seed);
    for (const code of written) {
      const strategy = new Function(`"use strict";\n${code}\nreturn strategy;`)();
      for (let call = 0; call < 5; call++) {
        const action = JSON.stringify(strategy(randomState(task, random)));
        assert.ok(actions.includes(action), `${action} of\n${code}`);
        returned.add(action);
      }
    }
    assert.ok(returned.size > 1, 'not all programs are one constant');
    const last = written.at(-1)!;
    assert.deepEqual(checkCode(last), [], last);
    const sandboxed = await createLockedDownFunction(last);
    assert.ok(actions.includes(JSON.stringify(sandboxed(randomState(task, random)))), 'in the sandbox, too');
    sandboxed.dispose();
  }
});

test('an edit changes the text, and keeps most of it', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const editor = new RandomEditor(randomTask(seed));
    const parent = editor.edit(editor.fresh(1), 2, editor.fresh(3));
    const edits = Array.from({ length: 20 }, (_, i) => editor.edit(parent, i));
    assert.ok(edits.every((code) => code !== parent));
    const kept = edits.map(
      (code) => parent.split('\n').filter((line) => code.includes(line)).length / parent.split('\n').length,
    );
    assert.ok(kept.reduce((sum, part) => sum + part, 0) / kept.length > 0.5, 'half of the lines at least, on average');
  }
});

test('the same seed gives the same programs, another one others', () => {
  for (const seed of [1, 2, 3]) {
    const task = randomTask(seed);
    assert.deepEqual(programs(task, seed), programs(task, seed));
    assert.notDeepEqual(programs(task, seed), programs(task, seed + 1));
  }
});

test('programs stay within eight rules of three conditions', () => {
  const task = randomTask(5);
  const editor = new RandomEditor(task);
  let code = editor.fresh(0);
  for (let i = 0; i < 500; i++) {
    code = editor.edit(code, i, editor.fresh(i));
    const rules = code.match(/^  if .*$/gm) ?? [];
    assert.ok(rules.length <= 8 && rules.every((rule) => (rule.match(/&&/g) ?? []).length < 3), code);
  }
});

test('only a program that looks at changes keeps what it saw', () => {
  const task: EditorTask = {
    variables: [
      { name: 'near', minimum: 0, maximum: 9, whole: true },
      { name: 'far', minimum: 0, maximum: 9, whole: true },
    ],
    actions: ['"GO"', '"STAY"'],
  };
  const value = (variable: number) => ({ variable, kind: 'value' as const, steps: 0 });
  const rule = { conditions: [{ left: value(0), operator: '<' as const, right: value(1), offset: -2 }], action: 0 };
  assert.equal(
    decisionList({ rules: [rule], otherwise: 1 }, task),
    `function strategy(state) {
  if (state.near < state.far - 2) return "GO";
  return "STAY";
}`,
  );
  const soon = {
    conditions: [
      { left: { variable: 0, kind: 'prediction' as const, steps: 3 }, operator: '>' as const, right: null, offset: 4 },
      { left: { variable: 1, kind: 'change' as const, steps: 1 }, operator: '<' as const, right: null, offset: 0 },
    ],
    action: 0,
  };
  assert.equal(
    decisionList({ rules: [soon], otherwise: 1 }, task),
    `let before;
function strategy(state) {
  const last = before ?? state;
  before = state;
  if (state.near + 3 * (state.near - last.near) > 4 && state.far - last.far < 0) return "GO";
  return "STAY";
}`,
  );
});

test('what decides nothing is left out, and nothing else', () => {
  const is = (variable: number, value: string) => ({ variable, value, equal: true });
  const rule = (action: number, ...conditions: Array<ReturnType<typeof is>>) => ({ conditions, action });
  const first = rule(0, is(0, 'a'));
  const both = rule(1, is(0, 'b'), is(1, 'a'));
  assert.deepEqual(
    tidied({ rules: [first, rule(1, is(1, 'b'), is(0, 'a')), both, rule(2, is(1, 'c'))], otherwise: 2 }),
    { rules: [first, both], otherwise: 2 },
  );
  assert.deepEqual(tidied({ rules: [rule(0, is(0, 'a'), is(0, 'a'))], otherwise: 1 }), {
    rules: [first],
    otherwise: 1,
  });
  const needed: DecisionList = { rules: [both, first, rule(2, is(1, 'a'))], otherwise: 0 };
  assert.deepEqual(tidied(needed), needed);
});

test('tidied programs decide as before', () => {
  const task: EditorTask = {
    variables: ['left', 'right'].map((name) => ({ name, values: ['a', 'b', 'c'] })),
    actions: ['0', '1', '2'],
  };
  const random = new RandomSource(1);
  const condition = () => ({
    variable: random.int(0, 1),
    value: random.choice(['a', 'b', 'c']),
    equal: random.next() < 0.5,
  });
  const decided = (program: DecisionList): number[] => {
    const strategy = new Function(`${decisionList(program, task)}\nreturn strategy;`)();
    return ['a', 'b', 'c'].flatMap((left) => ['a', 'b', 'c'].map((right) => strategy({ left, right })));
  };
  let shorter = 0;
  for (let i = 0; i < 200; i++) {
    const program = {
      rules: Array.from({ length: 6 }, () => ({
        conditions: Array.from({ length: random.int(1, 3) }, condition),
        action: random.int(0, 2),
      })),
      otherwise: random.int(0, 2),
    };
    assert.deepEqual(decided(tidied(program)), decided(program));
    if (tidied(program).rules.length < 6) shorter++;
  }
  assert.ok(shorter > 50);
});

test('wrong tasks and programs of others are named', () => {
  assert.throws(() => new RandomEditor({ variables: [], actions: ['1', '2'] }), /variable/);
  assert.throws(
    () => new RandomEditor({ variables: [{ name: 'a', minimum: 0, maximum: 1, whole: true }], actions: ['1'] }),
    /two actions/,
  );
  assert.throws(() => new RandomEditor(randomTask(1)).edit('function strategy() { return 1; }', 1), /written itself/);
});

test('what programs look at and return follows from named state, and from schemas', async () => {
  const open = await Promise.all([Emberloom, Shellfield, Weirferry].map((type) => openenv(type as typeof Emberloom)));
  after(() => Promise.all(open.map((env) => env.close())));
  const [emberloom, shellfield, weirferry] = open.map((env) => editorTask(env));
  assert.deepEqual(emberloom.variables, [
    { name: 'heat', minimum: 0, maximum: 100, whole: true },
    { name: 'weave', values: ['slack', 'taut', 'knotted'] },
    { name: 'damp', values: [false, true] },
  ]);
  assert.deepEqual(emberloom.actions, ['"feed"', '"fan"', '"still"', '"quench"']);
  assert.deepEqual(
    shellfield.variables.map(({ name }) => name),
    Array.from({ length: 9 }, (_, i) => `around[${i}]`),
  );
  assert.deepEqual(
    weirferry.variables.map(({ name }) => name),
    ['ferry.place', 'ferry.drift', 'opening.place', 'opening.ahead'],
  );
  assert.equal(weirferry.actions.length, 9);
  assert.equal(weirferry.actions[0], '{ rudder: "port", sail: 0 }');
  const board = editorTask(await openenv('game2048'));
  assert.ok(
    board.variables.some(({ name }) => name === 'left_pairs') &&
      board.variables.some(({ name }) => name === 'board[15]') === false,
    'tiles have no upper bound',
  );
});
