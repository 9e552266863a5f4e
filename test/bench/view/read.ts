/** Prints the milliseconds until a rollout in the middle of a run is read: `node read.js FILE`. */
const started = performance.now();
const { RolloutReader } =
  require('../../../kernel/grpo/history/reader') as typeof import('../../../kernel/grpo/history/reader');
const reader = RolloutReader.open(process.argv[2]);
const [{ run }] = reader.runs();
const { history } = reader.run(run);
const rows = reader.group(run, history[history.length >> 1].step);
reader.rollout(rows[0].id);
console.log(performance.now() - started);
