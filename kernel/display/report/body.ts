import { trainingCharts } from '../training/trainingBundle';
import { chartImage, chartSvg } from '../training/charts';
import { diffHtml } from '../training/diff';
import { heading } from '../training/lineage';
import { comparisonBundle } from '../training/experiment';
import { escapeHtml, formatNumber, htmlTable, shortNumber, textTable, type Column } from '../table';
import type { ReportData, ShownRollout } from './data';

/** Where a report is shown: a page of its own, or the output of a cell. */
export type ReportPlace = 'page' | 'cell';

/** Returns the sections of a report as HTML. */
export function reportBody(data: ReportData, place: ReportPlace): string {
  const { before, after, lineage, comparison, experiment } = data;
  const heads = place === 'page' ? 2 : 4;
  const section = (title: string, content: string): string =>
    content && `<section>\n<h${heads}>${title}</h${heads}>\n${content}\n</section>`;
  return [
    section('Before and after', rollouts([before, after], place)),
    section('Numbers', numbersTable(data) + (comparison ? comparisonBundle(comparison)['text/html'] : '')),
    section('Curves', charts(data, place)),
    section('Reward functions', rewards(data, heads + 1)),
    section(
      'The way to the best program',
      (lineage ?? []).map((one) => `<p>${escapeHtml(heading(one))}</p>${diffHtml(one.edit)}`).join('\n'),
    ),
    section('Settings', settings(data)),
    section('Made with', htmlTable(LABELLED, madeWith(experiment))),
  ]
    .filter(Boolean)
    .join('\n');
}

function rollouts(both: Array<ShownRollout | null>, place: ReportPlace): string {
  const shown = both.filter((rollout) => rollout !== null);
  if (shown.length === 0) return '<p>No rollout has played an episode.</p>';
  const style = place === 'cell' ? ' style="display:flex;flex-wrap:wrap;gap:24px"' : '';
  return `<div class="pair"${style}>\n${shown.map((rollout, i) => rolloutHtml(rollout, i, place)).join('\n')}\n</div>`;
}

function rolloutHtml(
  { title, caption, picture, reward, rewards, code }: ShownRollout,
  i: number,
  place: ReportPlace,
): string {
  const { moving, still, width, height, text } = picture;
  const alt = escapeHtml(`${title}: ${caption}`);
  const image = (url: string, name: string): string =>
    `<img class="${name}" alt="${alt}" src="${url}" width="${width}" height="${height}" style="image-rendering:pixelated;max-width:100%;height:auto;aspect-ratio:${width}/${height}">`;
  const pictures =
    text !== null
      ? `<pre>${escapeHtml(text)}</pre>`
      : place === 'page' && moving && still
        ? // The box stops what moves, without a script.
          `<input type="checkbox" id="still-${i}"><label for="still-${i}">Stop the picture: show the end</label>${image(moving, 'moving')}${image(still, 'still')}`
        : image((moving ?? still)!, 'moving');
  const parts = Object.entries(rewards).map(([name, value]) => `${escapeHtml(name)} ${formatNumber(value)}`);
  const sum = `reward <strong>${formatNumber(reward)}</strong>${parts.length > 1 ? `: ${parts.join(', ')}` : ''}`;
  const program =
    code === null ? '' : `<details><summary>Its program</summary><pre>${escapeHtml(code)}</pre></details>`;
  return `<figure style="margin:0">\n<p><strong>${escapeHtml(title)}</strong></p>\n${pictures}\n<figcaption>${escapeHtml(caption)}<br>${sum}</figcaption>\n${program}</figure>`;
}

const NUMBERS: Column[] = [{ title: '', align: 'left' }, { title: 'before' }, { title: 'after' }];

function numberRows({ numbers }: ReportData): string[][] {
  return numbers.map(({ name, before, after }) => [name, formatNumber(before), formatNumber(after)]);
}

function numbersTable(data: ReportData): string {
  const { averaged } = data;
  const steps = averaged === 1 ? 'the first and of the last step' : `the first and of the last ${averaged} steps`;
  const scale = data.scale.map(({ name, value }) => `${escapeHtml(name)} ${shortNumber(value)}`);
  return (
    `<p>Means of ${steps}.</p>\n${htmlTable(NUMBERS, numberRows(data))}` +
    (scale.length > 0 ? `\n<p>Returns to measure it by: ${scale.join(', ')}.</p>` : '')
  );
}

function charts({ training }: ReportData, place: ReportPlace): string {
  if (training.log.length === 0) return '';
  const all = trainingCharts({ version: 1, runId: '', ...training });
  if (place === 'cell')
    return `<div style="display:flex;flex-wrap:wrap;gap:8px">${all.map(chartImage).join('\n')}</div>`;
  const drawn = all.map(
    (chart) =>
      `<div role="img" aria-label="${escapeHtml(`Chart: ${chart.title}`)}">${chartSvg(chart, 'currentColor')}</div>`,
  );
  const events = training.events.map(({ step, text }) => `<li>step ${step}: ${escapeHtml(text)}</li>`);
  return `<div class="charts">${drawn.join('\n')}</div>${events.length > 0 ? `\n<ul>${events.join('')}</ul>` : ''}`;
}

function rewards({ experiment }: ReportData, level: number): string {
  return experiment.rewards
    .map(({ name, weight, source }) => {
      const title = weight === 1 ? name : `${name} × ${weight}`;
      return `<h${level}>${escapeHtml(title)}</h${level}>\n<pre>${escapeHtml(source)}</pre>`;
    })
    .join('\n');
}

const LABELLED: Column[] = [
  { title: 'what', align: 'left' },
  { title: 'value', align: 'left' },
];

function settings({ experiment, given }: ReportData): string {
  const rows = (names: string[]): string[][] =>
    names.map((name) => [name, JSON.stringify(experiment.settings[name]) ?? '']);
  const others = Object.keys(experiment.settings).filter((name) => !given.includes(name));
  const columns: Column[] = [{ title: 'setting', align: 'left' }, LABELLED[1]];
  return (
    htmlTable(columns, rows(given)) +
    `\n<details><summary>${others.length} settings at their defaults</summary>${htmlTable(columns, rows(others))}</details>`
  );
}

/** Returns what a run was made with, as rows of text. */
function madeWith({
  model,
  environment,
  settings,
  prompts,
  versions,
  machine,
  runId,
  ended,
}: ReportData['experiment']): string[][] {
  const options = Object.entries(environment?.options ?? {}).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [
    ['model', `${model.name}, digest of its start ${model.start}`],
    ['environment', environment ? [environment.name, ...options].join(', ') : 'none: completions are scored as text'],
    ['prompts', `${prompts.count}, digest ${prompts.digest}`],
    ['seed', String(settings.seed)],
    [
      'versions',
      Object.entries(versions)
        .map((entry) => entry.join(' '))
        .join(', '),
    ],
    ['machine', machine],
    ['run', runId],
    ['ended', ended],
  ];
}

/** Returns a report as text. */
export function reportText(data: ReportData): string {
  const { title, before, after, comparison } = data;
  return [
    title,
    textTable(NUMBERS, numberRows(data)),
    ...[before, after].flatMap((rollout) => (rollout ? [`${rollout.title}: ${rollout.caption}`] : [])),
    ...(comparison ? [comparison.text] : []),
  ].join('\n\n');
}
