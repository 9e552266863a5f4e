import { taskNamed } from './tasks';
import { editorTask } from './editorTask';
import { randomSearch } from './randomSearch';
import { plainSearch } from './plainSearch';
import { play } from './playing';
import { heldOutStarts } from './starts';
async function main() {
  const [kind, game, seed, options = '{}'] = process.argv.slice(2);
  const task = taskNamed(game);
  const env = await task.open();
  const started = Date.now();
  const log = (l: string) => console.log(((Date.now() - started) / 1000).toFixed(0), l);
  const common = { episodes: 1920, maxSteps: task.trainingSteps, log };
  const found = kind === 'plain' ? await plainSearch(env, editorTask(env), Number(seed), common) : await randomSearch(env, editorTask(env), { seed: Number(seed), ...common, ...JSON.parse(options) });
  console.log(found.episodes, found.code);
  for (const steps of task.reportedSteps) {
    const s = heldOutStarts(task.starts);
    const r = (await play(env, s.map(() => found.code), s, steps)).map((e) => e.return);
    console.log('RESULT', kind, game, seed, options, steps, r.reduce((a, b) => a + b) / r.length);
  }
  await env.close();
}
main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
