import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
});
after(() => kernel.stop());

test('a class in a cell: the report is a card, and typed', async () => {
  await kernel.run("import { checkEnv, openenv } from 'joylab';");
  await kernel.run(`/** @openenv card=false */
class Guess extends Environment<{ guess: 'red' | 'green' | 'blue' }, { hint: string, turn: number }> {
  turn = 0;
  answer = 'red';
  reset() {
    this.turn = 0;
    this.answer = ['red', 'green', 'blue'][this.random.int(0, 2)];
    return { observation: { hint: this.answer, turn: 0 } };
  }
  step({ guess }) {
    this.turn++;
    return { observation: { hint: '', turn: this.turn }, reward: guess === this.answer ? 1 : 0, done: this.turn === 3 };
  }
}`);
  const { outputs } = await kernel.execute('const report = await checkEnv(guess, { seconds: 60 });\nreport');
  const { data } = outputs.find(({ header }) => header.msg_type === 'execute_result')!.content;
  assert.match(data['text/plain'], /^Not worth training on yet\. Not met: the solution is not given away\./);
  assert.match(data['text/html'], /✗ not met<\/span>.*The solution is not given away/s);
  assert.match(data['text/html'], /copies observation\.hint as its action got the most on \d+ of 16 starts/);
  assert.equal(await kernel.run("report.result('semantic.no_solution_leakage').status"), "'fail'");
  await kernel.run(`const known = await checkEnv(guess, {
  target: 3,
  policies: { first(state) { let last = ''; for (const word of [state.hint]) if (word) last = word; return last || 'red'; }, never: (state) => 'green' },
});`);
  const oracle = await kernel.run("known.result('semantic.oracle_max').evidence[0]");
  assert.match(oracle, /The policy first gets [\d.]+ .*the target is 3\./);
  assert.match(await kernel.fail("report.result('semantic.leak')"), /semantic\.no_solution_leakage/);
  assert.match(await kernel.fail('checkEnv(guess, { second: 3 })'), /seconds/);
});

test('the stop button keeps what is known: the card says that it was interrupted', async () => {
  await kernel.run("const board = await openenv('game2048');");
  const running = kernel.execute('await checkEnv(board, { seconds: 60 })');
  await new Promise((resolve) => setTimeout(resolve, 4000));
  await kernel.request('control', 'interrupt_request', {});
  const { reply, outputs } = await running;
  assert.equal(reply.content.ename, 'KeyboardInterrupt');
  // What a line of progress stood beside is shown anew when the line goes.
  const last = outputs.slice(outputs.findLastIndex(({ header }) => header.msg_type === 'clear_output') + 1);
  const cards = last.filter(
    ({ header, content }) =>
      header.msg_type === 'display_data' && /It was interrupted/.test(content.data['text/plain']),
  );
  assert.equal(cards.length, 1);
  assert.match(cards[0].content.data['text/html'], /✓ passed/);
});
