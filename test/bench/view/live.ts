import { join } from 'node:path';
import { packageRoot } from '../../../kernel/common/packagePaths';
import { median } from '../../../kernel/check/statistics';
import { textTable } from '../../../kernel/display/table';
import { LiveGroup } from '../../../kernel/display/training/live';
import { openenv } from '../../../kernel/environments';
import { rollout } from '../../../kernel/rollout';
import { runAllCells } from '../../extension/browser';
import { writeNotebook } from '../../extension/notebooks';
import { inLab } from './page';

const GAMES = 16;
const STEPS = 1000;
const ROUNDS = 6;
/** Groups in JupyterLab, of which the page sees every second few. */
const GROUPS = { all: 24, together: 4 };

/** Strategies that follow the ball more or less well. */
const CODES = Array.from(
  { length: GAMES },
  (_, i) =>
    `function strategy(s) { return s.ball_x > s.paddle_x + ${i % 9} ? "RIGHT" : s.ball_x < s.paddle_x - ${i % 9} ? "LEFT" : "NOOP"; }`,
);

/** What a group that plays costs, with and without somebody who looks on: in this process, then in JupyterLab. */
export async function live(): Promise<void> {
  await inKernel();
  await inPage();
}

const CASES = ['nobody looks', 'frames for afterwards', 'and live'] as const;

/** The same group again and again, the cases in turn. */
async function inKernel(): Promise<void> {
  const env = await openenv('atari', { game: 'breakout' });
  const times = CASES.map(() => ({ wall: [] as number[], own: [] as number[] }));
  let [bytes, messages, watched] = [0, 0, 0];
  const follow = (group: LiveGroup): void =>
    group.follow(times, GAMES, (message, buffers) => {
      messages++;
      bytes += JSON.stringify(message).length + buffers.reduce((sum, { length }) => sum + length, 0);
      setTimeout(() => group.drawn(times), 1000 / 60);
    });
  for (let round = -1; round < ROUNDS; round++) {
    for (let turn = 0; turn < CASES.length; turn++) {
      const which = (turn + round + CASES.length) % CASES.length;
      const group = new LiveGroup({ step: 1, tiles: CODES.map(() => ({})), of: GAMES });
      if (which === 2) follow(group);
      const [begun, spent] = [performance.now(), process.cpuUsage()];
      await rollout(env, CODES, {
        seeds: CODES.map((_, i) => i),
        maxSteps: STEPS,
        live: group,
        ...(which > 0 && { frames: { episodes: CODES.map((_, i) => i), every: 4, packed: true } }),
      });
      const wall = (performance.now() - begun) / 1000;
      const { user, system } = process.cpuUsage(spent);
      group.stop();
      if (round < 0) [bytes, messages] = [0, 0];
      else {
        times[which].wall.push(wall);
        times[which].own.push((user + system) / 1e6);
        if (which === 2) watched += wall;
      }
    }
  }
  await env.close();
  const rows = CASES.map((name, i) => [
    name,
    ...figures(times[i].wall, times[1].wall),
    ...figures(times[i].own, times[1].own),
  ]);
  const titles = ['seconds', 'to frames', 'quartiles', 'processor s', 'to frames', 'quartiles'];
  console.log(textTable([{ title: `${GAMES} games`, align: 'left' }, ...titles.map((title) => ({ title }))], rows));
  console.log(
    `\n${(messages / watched).toFixed(1)} messages and ${(bytes / watched / 1000).toFixed(0)} KB a second while it plays\n`,
  );
}

/** A median, the median of its ratios to others round by round, and their quartiles. */
function figures(times: number[], others: number[]): string[] {
  const ratios = times.map((time, i) => time / others[i]).sort((a, b) => a - b);
  const [least, most] = [ratios[Math.floor(ratios.length / 4)], ratios[Math.floor((3 * ratios.length) / 4)]];
  return [median(times).toFixed(2), median(ratios).toFixed(3), `${least.toFixed(3)} – ${most.toFixed(3)}`];
}

/** A cell that plays the same group again and again, as a run shows it, and logs the time that it took and whether the page looked on. */
const CELL = `const { TrainingOutput } = require(${JSON.stringify(join(packageRoot, 'dist-test/kernel/display/training/training.js'))});
const { episodeParts } = require(${JSON.stringify(join(packageRoot, 'dist-test/kernel/display/pictures/episode.js'))});
const { openenv, rollout } = require(${JSON.stringify(join(packageRoot, 'dist-test/kernel/index.js'))});
const env = await openenv('atari', { game: 'breakout' });
const codes = ${JSON.stringify(CODES)};
const all = codes.map((_: string, i: number) => i);
const output = new TrainingOutput({ version: 1, runId: 'live', status: 'running', step: 0, maxSteps: ${GROUPS.all}, rewardNames: [], log: [], events: [] });
output.show();
for (let step = 1; step <= ${GROUPS.all}; step++) {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const looks = output.wantsFrames;
  const begun = performance.now();
  const { episodes, frames } = await rollout(env, codes, { seeds: all, maxSteps: ${STEPS}, live: output.play({ step, tiles: codes.map(() => ({})), of: codes.length }), ...(looks && { frames: { episodes: all, every: 4, packed: true } }) });
  const seconds = (performance.now() - begun) / 1000;
  if (looks) output.group({ step, scores: all.map((index: number) => ({ index, reward: episodes[index].return, advantage: 0, rewards: {} })), episodes: all.map((i: number) => episodeParts(episodes[i], frames.get(i))), of: codes.length });
  output.log({ step, loss: seconds, reward: Number(looks) });
}
console.log(JSON.stringify(output.data.log));
output.status('finished');`;

async function inPage(): Promise<void> {
  const log = await inLab(async (lab, open) => {
    writeNotebook(lab.folder, 'live.ipynb', [{ source: CELL }]);
    const { page } = await open('live.ipynb');
    await runAllCells(page);
    await page.locator('.joylab-Tile').first().waitFor();
    await page.locator('.joylab-Wall').scrollIntoViewIfNeeded();
    const step = (): Promise<number> =>
      page.evaluate(`(() => {
        const notebook = [...jupyterapp.shell.widgets('main')].find(({ context }) => context?.path === 'live.ipynb');
        return Math.max(0, ...[...notebook.node.querySelectorAll('.joylab-Table-step')].map(({ textContent }) => Number(textContent)));
      })()`);
    const front = (name: string) =>
      page.evaluate(
        `(() => { const widgets = [...jupyterapp.shell.widgets('main')]; jupyterapp.shell.activateById(widgets.find(({ title }) => title.label.includes('${name}')).id); })()`,
      );
    await page.evaluate('jupyterapp.commands.execute("launcher:create")');
    for (let done = await step(); done < GROUPS.all; done = await step()) {
      await front(Math.floor(done / GROUPS.together) % 2 === 0 ? 'live.ipynb' : 'Launcher');
      await page.waitForTimeout(300);
    }
    await front('live.ipynb');
    return (await page.locator('.jp-OutputArea-output', { hasText: '"loss"' }).innerText()).trim();
  });
  // The first of those after a change may have seen both.
  const entries = (JSON.parse(log) as Array<{ loss: number; reward: number }>).filter(
    (_, i) => i % GROUPS.together > 0,
  );
  const of = (looks: number) => entries.filter(({ reward }) => reward === looks).map(({ loss }) => loss);
  const row = (name: string, times: number[]) => {
    const sorted = [...times].sort((a, b) => a - b);
    const [low, high] = [sorted[Math.floor(sorted.length / 4)], sorted[Math.floor((3 * sorted.length) / 4)]];
    return [name, String(times.length), median(times).toFixed(2), `${low.toFixed(2)} – ${high.toFixed(2)}`];
  };
  console.log(
    textTable(
      [{ title: 'JupyterLab', align: 'left' }, { title: 'groups' }, { title: 'seconds' }, { title: 'quartiles' }],
      [row('hidden', of(0)), row('seen', of(1))],
    ),
  );
  console.log(`\nseen / hidden: ${(median(of(1)) / median(of(0))).toFixed(3)}\n`);
}
