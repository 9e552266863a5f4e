import { cellContext, type MimeBundle } from '../display/cellContext';
import { escapeHtml, formatNumber, htmlTable, scrollBox, textTable, type Column } from '../display/table';
import type { Rescore, RescoredSample, RescoreSummary } from './rescore';
import type { Sample } from './sample';

/** Returns a comparison of rewards as HTML and as text: failures, the summary, then every sample. */
export function rescoreBundle(rescore: Rescore): MimeBundle {
  const { rewardName, samples, error } = rescore;
  if (!rescore.changed) {
    const text = `${rewardName}: the last ${samples.length} rollouts, scored again, as before.`;
    return {
      'text/plain': text,
      'text/html': `<p><b>${escapeHtml(rewardName)}</b>${escapeHtml(text.slice(rewardName.length))}</p>`,
    };
  }
  const failed = error ? failureBundle(rescore) : null;
  if (samples.length === 0) return failed!;
  const title = `${rewardName}: the last ${samples.length} rollouts, scored again without playing`;
  const rows = samples.map((sample, index) => sampleRow(sample, index));
  const summary = summaryRows(rescore);
  const html =
    `<p><b>${escapeHtml(rewardName)}</b>${escapeHtml(title.slice(rewardName.length))}</p>\n` +
    `${htmlTable(summaryColumns, summary)}\n` +
    scrollBox(
      `Scores of ${rewardName}, before and after`,
      'max-height:22em;margin-top:0.8em',
      htmlTable(sampleColumns, rows),
    );
  const text = [title, textTable(summaryColumns, summary), textTable(sampleColumns, rows)].join('\n\n');
  return failed
    ? { 'text/html': `${failed['text/html']}\n${html}`, 'text/plain': `${failed['text/plain']}\n\n${text}` }
    : { 'text/html': html, 'text/plain': text };
}

/** Returns the failures, with the location and the code of the first exception. */
function failureBundle({ error, samples }: Rescore): MimeBundle {
  const { message, failures } = error!;
  const some = samples.length > 0 ? `${failures.length} of the last ${samples.length} rollouts` : 'The last rollouts';
  const kept = samples.length > 0 ? ' Training goes on when the function scores them all.' : '';
  const text = `${some} could not be scored again. ${message}${kept}`;
  const thrown = failures.find((failure) => 'cause' in failure);
  const place = thrown ? (cellContext().describeError?.(thrown.cause) ?? '') : '';
  return {
    'text/plain': place ? `${text}\n\n${place}` : text,
    'text/html': `<p><b>⚠</b> ${escapeHtml(text)}</p>${place ? `\n<pre style="white-space:pre-wrap">${escapeHtml(withoutColours(place))}</pre>` : ''}`,
  };
}

function withoutColours(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, '');
}

const summaryColumns: Column[] = [{ title: '', align: 'left' }, { title: 'before' }, { title: 'after' }];

function summaryRows({ rewardName, groups, before, after }: Rescore): string[][] {
  const row = (title: string, value: (summary: RescoreSummary) => string) => [title, value(before), value(after)];
  return [
    row(`${rewardName}, mean ± std`, ({ mean, std }) => `${formatNumber(mean)} ± ${formatNumber(std)}`),
    row('sum of all rewards, mean', ({ reward }) => formatNumber(reward)),
    row('groups with zero spread', ({ groupsWithoutSpread }) => `${groupsWithoutSpread} of ${groups}`),
  ];
}

const sampleColumns: Column[] = [
  { title: '#' },
  { title: 'step' },
  { title: 'before' },
  { title: 'after' },
  { title: 'advantage before' },
  { title: 'advantage after' },
  { title: 'strategy', align: 'left' },
];

function sampleRow(
  { sample, before, after, advantageBefore, advantageAfter, failure }: RescoredSample,
  index: number,
): string[] {
  return [
    String(index),
    String(sample.step),
    formatNumber(before),
    failure ? 'failed' : formatNumber(after),
    formatNumber(advantageBefore),
    formatNumber(advantageAfter),
    excerpt(sample),
  ];
}

/** Returns the first 60 characters of the strategy or completion, without the strategy's head. */
function excerpt({ code, completion }: Sample): string {
  const text = (code ?? completion)
    .replace(/\s+/g, ' ')
    .replace(/^function strategy\(\w*\) \{ ?/, '')
    .trim();
  return text.length > 60 ? text.slice(0, 59) + '…' : text;
}
