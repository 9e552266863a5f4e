import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLockedDownFunction } from '../../kernel/strategy';
import { markedProgram, readMark } from '../../kernel/strategy/lineMarks';

/** Returns what a source answers to inputs, and the lines that decided. */
async function decided(code: string, inputs: unknown[]): Promise<Array<[answer: unknown, line: number]>> {
  const strategy = await createLockedDownFunction(markedProgram(code));
  try {
    return inputs.map((input) => {
      const { answer, line } = readMark(strategy.attempt([input]).outcome);
      return [answer, line];
    });
  } finally {
    strategy.dispose();
  }
}

test('a marked program answers as before, and tells the line of the return, or of the branch, that decided', async () => {
  const cases: Array<[title: string, code: string, inputs: unknown[], expected: Array<[unknown, number]>]> = [
    [
      'returns',
      `function strategy(state: { x: number }) {
  if (state.x < 0) return 'LEFT';
  if (state.x > 9) {
    return 'RIGHT';
  }
  return 'NOOP';
}`,
      [{ x: -1 }, { x: 10 }, { x: 5 }],
      [
        ['LEFT', 2],
        ['RIGHT', 4],
        ['NOOP', 6],
      ],
    ],
    [
      'a variable, set in branches',
      `let calls = 0;
function strategy({ x }) {
  let action = 'NOOP';
  calls++;
  if (x < 0) action = 'LEFT';
  else if (x > 9) {
    action = 'RIGHT';
  }
  switch (calls) {
    case 3:
      action = 'FIRE';
  }
  return action;
}`,
      [{ x: -1 }, { x: 10 }, { x: 5 }, { x: 5 }],
      [
        ['LEFT', 5],
        ['RIGHT', 7],
        ['FIRE', 11],
        ['NOOP', 13],
      ],
    ],
    [
      'nested ?: in an arrow function, with a helper that has returns of its own',
      `const far = (x) => { if (x) return x > 5; return false; };
const strategy = (s) =>
  s.x < 0
    ? 'LEFT'
    : far(s.x)
      ? 'RIGHT'
      : 'NOOP';`,
      [{ x: -1 }, { x: 9 }, { x: 2 }],
      [
        ['LEFT', 4],
        ['RIGHT', 6],
        ['NOOP', 7],
      ],
    ],
    ['an exception', `function strategy(s) {\n  return s.a.b;\n}`, [{}], [[undefined, 2]]],
    ['a return of nothing', 'function strategy(s) { if (s.x) return; else return 1; } // the end', [{}], [[1, 1]]],
  ];
  for (const [title, code, inputs, expected] of cases) assert.deepEqual(await decided(code, inputs), expected, title);
});

test('a name of the source is not taken for the mark', async () => {
  assert.deepEqual(await decided('const decidedLine = 7;\nfunction strategy() {\n  return decidedLine;\n}', [0]), [
    [7, 3],
  ]);
});
