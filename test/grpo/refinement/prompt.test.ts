import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editPrompt } from '../../../kernel/grpo/refinement/prompt';
import { evaluation } from './fixtures';

const code = 'function strategy(state) {\n  return "LEFT";\n}';

test('an edit prompt tells program, score, how its last episode ended, and what it earned', () => {
  const text = editPrompt({
    code,
    worth: 12.5,
    best: 31.00004,
    evaluation: evaluation(12, { steps: 431, rewards: { plays: 0.312345, survives: 0.5, wins: null } }),
  });
  assert.equal(
    text,
    [
      'Change this program, which scored 12.5 (the best so far: 31):',
      '```ts',
      code,
      '```',
      'Its last episode: return 12, 431 steps, terminated.',
      'Rewards: plays 0.3123, survives 0.5, wins none.',
    ].join('\n'),
  );
});

test('what failed is told with its line, on one line, cut; without rewards or an episode nothing is said of them', () => {
  const message = `TypeError: cannot read properties\n  of undefined ${'x'.repeat(200)}`;
  const text = editPrompt({
    code,
    worth: -0.00012346,
    best: 123456,
    evaluation: evaluation(0, { steps: 12, rewards: {}, end: { reason: 'error', message, line: 4 } }),
  });
  const lines = text.split('\n');
  assert.equal(lines[0], 'Change this program, which scored -0.0001235 (the best so far: 123500):');
  const told = 'Its last episode: return 0, 12 steps, error in line 4: ';
  assert.ok(lines.at(-1)!.startsWith(`${told}TypeError: cannot read properties of undefined xxx`));
  assert.equal(lines.at(-1)!.length, told.length + 120 + 1);
  assert.ok(editPrompt({ code, worth: 1, best: 1, evaluation: undefined }).endsWith('\n```'));
});

test('other programs stand before the one that is to be changed, each with its score', () => {
  const other = code.replace('LEFT', 'RIGHT');
  const text = editPrompt({
    code,
    worth: 1,
    best: 14,
    evaluation: undefined,
    inspirations: [{ code: other, worth: 14 }],
  });
  assert.equal(
    text,
    [
      'Another program scored 14:',
      '```ts',
      other,
      '```',
      editPrompt({ code, worth: 1, best: 14, evaluation: undefined }),
    ].join('\n'),
  );
});
