import assert from 'node:assert/strict';
import { completionsBundle } from '../../kernel/display/training/completions';
import { episodeData } from '../../kernel/display/pictures/episode';
import { setCellContext } from '../../kernel/display/cellContext';
import { html, image, md, svg, type MimeBundle } from '../../kernel/display';
import type { TrainingData } from '../../kernel/display/mime';
import { ProgressBar } from '../../kernel/display/progress/progressBar';
import { describe } from '../../kernel/display/describe';
import { lineageBundle } from '../../kernel/display/training/lineage';
import { programTreeBundle } from '../../kernel/display/training/programTree';
import { trainingBundle } from '../../kernel/display/training/trainingBundle';
import { encoded } from '../../kernel/cells/values';
import { openenv } from '../../kernel/environments';
import { executeWithTimeLimit, rollout } from '../../kernel/rollout';
import { groupAdvantages } from '../../kernel/grpo/advantages';
import { compareRewards } from '../../kernel/rewards/comparison/compare';
import { RewardRegistry } from '../../kernel/rewards/registry';
import { EnvironmentReport, type CheckId, type CheckResult } from '../../kernel/check';
import { CHECK_IDS } from '../../kernel/check/checks';
import type { Sample } from '../../kernel/rewards/sample';
import { scoreSamples } from '../../kernel/rewards/scoring';
import { axeFindings, becomes, changeTheme, openNotebook, type NotebookPage } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook, type Bundle } from './notebooks';

// What is not drawn is not looked at.
const { lab, browser } = useLab({ drawsAll: true }, async () => {
  bundles = [...(await played()), ...runs(), ...programs(), ...(await tables()), ...pictures()].map((bundle) =>
    encoded(bundle),
  );
  writeNotebook(
    lab.folder,
    'outputs.ipynb',
    bundles.map((bundle) => ({ source: '', outputs: [bundle] })),
  );
});
let bundles: Bundle[];

let group: TrainingData['group'];

/** Cards, frames and episodes of environments. */
async function played(): Promise<MimeBundle[]> {
  const breakout = await openenv('atari', { game: 'breakout' });
  const tiles = await openenv('game2048');
  try {
    const { episodes, frames } = await rollout(
      breakout,
      ['LEFT', 'RIGHT'].map((action) => `function strategy() { return "${action}"; }`),
      { seeds: [1, 1], maxSteps: 40, frames: { episodes: [0, 1], every: 4 } },
    );
    const rewards = { a: 1, b: null };
    const scores = [0, 1].map((index) => ({ index, reward: index, advantage: index, rewards }));
    group = { step: 40, scores, episodes: episodes.map((episode, i) => episodeData(episode!, frames.get(i)!)) };
    const drawn = await executeWithTimeLimit('function strategy(state) { return state.legal_actions[0]; }', tiles, {
      seed: 1,
      maxSteps: 9,
    });
    const values = [await breakout.card(), await tiles.card(), breakout.render(), tiles.render(), episodes[0], drawn];
    return await Promise.all(values.map(describe));
  } finally {
    await Promise.all([breakout.close(), tiles.close()]);
  }
}

/** Runs in every state. */
function runs(): MimeBundle[] {
  const log = Array.from({ length: 40 }, (_, i) => ({
    step: i + 1,
    loss: 0.1,
    reward: i / 10,
    reward_std: 0.5,
    'rewards/a/mean': 1,
    'rewards/b/mean': i / 9,
    'completions/mean_length': 60,
    step_time: 2,
  }));
  const refined = log.map((entry) => ({
    ...entry,
    'refinement/best_worth': entry.step / 4,
    'refinement/improved': 0.1,
  }));
  const run: TrainingData = {
    version: 1,
    runId: 'saved',
    status: 'finished',
    step: 40,
    maxSteps: 40,
    rewardNames: ['a', 'b'],
    log,
    events: [
      { step: 5, text: 'a was replaced' },
      { step: 9, text: 'no signal', kind: 'problem' },
    ],
  };
  return [
    { ...run, group },
    { ...run, status: 'failed' as const },
    { ...run, status: 'lost' as const, step: 4, log: log.slice(0, 4) },
    { ...run, status: 'running' as const, step: 0, log: [], events: [] },
    { ...run, log: refined },
  ].map(trainingBundle);
}

/** What a run that refines programs shows below its charts. */
function programs(): MimeBundle[] {
  const program = (id: number, parent: number | null, worth: number, onPath: boolean) => ({
    id,
    parent,
    step: id,
    worth,
    onPath,
  });
  const tree = [program(1, null, 0, true), program(2, 1, 3, true), program(3, 1, -1, false)];
  const edit = [
    { kind: 'kept', text: 'function strategy(state) {' },
    { kind: 'removed', text: '  return "LEFT";' },
    { kind: 'added', text: `  return ${'state.ball_x < state.paddle_x && '.repeat(9)}"RIGHT";` },
  ] as const;
  return [
    programTreeBundle('3 programs', tree, [{ kind: 'lines changed', count: 2, better: 0.5, meanGain: 1 }]),
    lineageBundle('Lineage of program 2', [
      { id: 1, step: null, worth: 0, gain: null, edit: edit.slice(0, 1) },
      { id: 2, step: 2, worth: 3, gain: 3, edit },
    ]),
  ];
}

/** Tables that scroll and tables that do not, and what shows progress. */
async function tables(): Promise<MimeBundle[]> {
  const code = `function strategy(state) { ${'return state.ball_x; '.repeat(40)} }`;
  const sample = {
    prompt: 'Write a strategy',
    completion: code,
    completionIds: [],
    code,
    problems: [],
    episode: null,
    step: 3,
  };
  const shown: MimeBundle[] = [];
  setCellContext({
    display: (bundle) => void shown.push(bundle),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  new ProgressBar('downloading weights', 1e6).add(5e5);
  return [
    ...(await rewards(sample)),
    completionsBundle(3, [
      { prompt: 'short', completion: code, rewards: { a: 1, b: null }, advantage: 0.5, extra: { note: 'x' } },
    ]),
    await describe(
      Array.from({ length: 40 }, (_, i) =>
        Object.fromEntries(Array.from({ length: 19 }, (_, c) => [`column ${c}`, i * c])),
      ),
    ),
    await describe([{ a: 1 }]),
    ...shown,
    report(),
  ];
}

/** A report of a check with every status. */
function report(): MimeBundle {
  const result = (check_id: CheckId, status: CheckResult['status']): CheckResult => ({
    check_id,
    status,
    measured: {},
    evidence: ['Two sessions with one seed began alike.', 'Others did not.'],
    remediation: status === 'fail' ? 'Draw all that is random from the seed.' : null,
    duration_s: 0.1,
  });
  const results = CHECK_IDS.map((id, i) => result(id, (['pass', 'fail', 'skip'] as const)[i % 3]));
  const about = { environment: 'breakout', target: 'atari', seconds: 3, budget: 60, episodes: 128, starts: 16 };
  return new EnvironmentReport({ ...about, results, cut: ['It was interrupted.'] }).card();
}

/** A comparison with everything (gains, losses, failures), and the panel of its functions. */
async function rewards(sample: Sample): Promise<MimeBundle[]> {
  const samples = Array.from({ length: 60 }, (_, i) => ({ ...sample, completionIds: Array(i).fill(1) }));
  const length = ({ completionIds }: Sample) => completionIds.length;
  const registry = new RewardRegistry();
  const settings = {
    numGenerations: 20,
    scaleRewards: 'group',
    multiObjectiveAggregation: 'sum_then_normalize',
  } as const;
  await registry.register('length', length);
  await registry.register('one', () => 1, { timeLimit: 10 });
  registry.recentRollouts.add({
    step: 3,
    samples,
    groupSize: 20,
    table: await scoreSamples(registry.list(), samples),
    advantages: (table) => groupAdvantages(table, settings),
  });
  const score = (it: Sample) => {
    if (length(it) === 7) throw new Error('seven');
    return -length(it);
  };
  const panel = await describe(registry);
  const comparison = await compareRewards([{ name: 'length', weight: 1, score }], registry.recentRollouts);
  return [comparison.bundle(), panel];
}

function pictures(): MimeBundle[] {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  const drawing = svg`<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><title>A bar</title><rect width="120" height="40" fill="steelblue"/></svg>`;
  return [
    image(png),
    image(png, { alt: 'a dot', width: 40 }),
    ...[drawing, html`<b>bold</b>`, md`**bold**`].map((value) => (value as any)[Symbol.for('Jupyter.display')]()),
  ];
}

/** Opens the notebook with all outputs, and the player of a tile. */
async function openOutputs(
  width: number,
  theme: 'JupyterLab Dark' | 'JupyterLab Light',
  isTrusted: boolean,
): Promise<NotebookPage> {
  const opened = await openNotebook(browser, lab.url('outputs.ipynb'), { width, reducedMotion: 'reduce' });
  const { page } = opened;
  if (isTrusted)
    await page.evaluate('[...jupyterapp.shell.currentWidget.model.cells].forEach(cell => { cell.trusted = true; })');
  await changeTheme(page, theme);
  await becomes(() => page.locator('.jp-OutputArea-output').count(), bundles.length);
  await page.locator('.joylab-Chart .js-line').first().waitFor();
  await page.locator('button.joylab-Tile').first().click();
  await page.locator('.joylab-Detail .joylab-Player').waitFor();
  return opened;
}

for (const [width, theme, isTrusted] of [
  [1280, 'JupyterLab Light', true],
  [700, 'JupyterLab Dark', false],
] as const) {
  labTest(
    `axe finds nothing wrong with any output: ${width} pixels, ${theme}, ${isTrusted ? '' : 'not '}trusted`,
    async () => {
      const { page, errors } = await openOutputs(width, theme, isTrusted);
      assert.deepEqual(await axeFindings(page, '.jp-OutputArea-output'), []);
      // Refinement: its charts, the tree, and the diffs of the way to the best, which break between words.
      await page.locator('.joylab-Chart-title', { hasText: 'Best program, expected reward' }).waitFor();
      await page.getByRole('img', { name: /^Tree of programs: 1 \(step 1, 0\) → 2 \(step 2, 3\)/ }).waitFor();
      const lineage = page.locator('.joylab-Scroll', { has: page.locator('ins') });
      assert.equal(await lineage.evaluate((node: any) => node.scrollWidth <= node.clientWidth), true);
      // The Tab key reaches what scrolls, and nothing that does not.
      const scores = page.locator('.joylab-Compare-table');
      assert.equal(await scores.getAttribute('tabindex'), '0');
      assert.match(
        (await scores.getAttribute('aria-label'))!,
        /^Table: #, step, length, sum, rank, advantage, program$/,
      );
      await scores.focus();
      await page.keyboard.press('End');
      await becomes(() => scores.evaluate((node: any) => node.scrollTop > 0), true, 'the keyboard scrolls the table');
      assert.equal(
        await page.locator('.jp-RenderedHTML', { hasText: /^\s*a\s*0\s*1\s*$/ }).getAttribute('tabindex'),
        null,
      );
      assert.deepEqual(errors, []);
      await page.close({ runBeforeUnload: false });
    },
  );
}

labTest('axe finds nothing wrong with what other viewers show of a saved notebook', async () => {
  const page = await browser.newPage();
  const fallbacks = bundles.flatMap((bundle) =>
    typeof bundle['text/html'] === 'string' ? [`<div>${bundle['text/html']}</div>`] : [],
  );
  for (const colours of ['color:black;background:white', 'color:#eee;background:#111']) {
    await page.setContent(
      `<!doctype html><html lang="en"><title>notebook</title><body style="${colours}"><main>${fallbacks.join('\n')}</main></body></html>`,
    );
    assert.deepEqual(await axeFindings(page, 'main'), [], colours);
  }
  await page.close();
});
