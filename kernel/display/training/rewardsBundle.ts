import { REWARDS_MIME, type RewardRow, type RewardsData } from '../rewardsMime';
import { escapeHtml, formatNumber, formatPercent, htmlTable, textTable, type Column } from '../table';

/** Returns the panel for the extension, and as HTML and text for viewers without it. */
export function rewardsBundle(data: RewardsData): Record<string, unknown> {
  const columns = allColumns.filter(({ show }) => show(data));
  const rows = data.rows.map((row) => columns.map(({ text }) => text(row, data)));
  const notes = [
    ...data.rows.flatMap(({ name, notes }) => notes.map((note) => `${name} ${note}.`)),
    ...data.notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`),
  ];
  const at = notes.length > 0 ? `Step ${data.step}, from the last ${data.rollouts} rollouts:` : '';
  return {
    [REWARDS_MIME]: data,
    'text/html': [
      htmlTable(columns, rows),
      ...(at ? [`<p>${at}</p>`, `<ul>${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`] : []),
    ].join('\n'),
    'text/plain': [textTable(columns, rows), ...(at ? [[at, ...notes].join('\n')] : [])].join('\n\n'),
  };
}

interface PanelColumn extends Column {
  text(row: RewardRow, data: RewardsData): string;
  show(data: RewardsData): boolean;
}

const scored = ({ rollouts }: RewardsData): boolean => rollouts > 0;

const allColumns: PanelColumn[] = [
  { title: 'reward', align: 'left', text: ({ name }) => name, show: () => true },
  { title: 'weight', text: ({ weight }) => String(weight), show: () => true },
  { title: 'counts', align: 'left', text: ({ enabled }) => (enabled ? 'yes' : 'off'), show: () => true },
  {
    title: 'time limit',
    text: ({ timeLimit = '' }) => String(timeLimit),
    show: ({ rows }) => rows.some(({ timeLimit }) => timeLimit !== undefined),
  },
  {
    title: 'mean ± std',
    text: ({ mean, std }) => (mean === null ? '–' : `${formatNumber(mean)} ± ${formatNumber(std)}`),
    show: scored,
  },
  { title: 'of the sum', text: ({ share }) => formatPercent(share ?? NaN), show: scored },
  { title: 'of the differences', text: ({ decides }) => formatPercent(decides ?? NaN), show: scored },
  { title: 'with the return', text: ({ withReturn }) => formatNumber(withReturn), show: scored },
  { title: 'ties', text: ({ ties }, { groups }) => (ties === null ? '–' : `${ties} of ${groups}`), show: scored },
  { title: 'from', align: 'left', text: ({ source }) => source, show: () => true },
];
