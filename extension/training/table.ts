import type { TrainingData } from '../../kernel/display/mime';
import { element } from '../widgets/element';
import { isSupervised } from './metrics';

interface Column {
  title: string;
  metric: string;
  digits: number;
}

/** The columns of the public notebook's table. */
const COLUMNS: Column[] = [
  { title: 'Step', metric: 'step', digits: 0 },
  { title: 'Loss', metric: 'loss', digits: 4 },
  { title: 'Reward', metric: 'reward', digits: 3 },
  { title: 'Reward std', metric: 'reward_std', digits: 3 },
  { title: 'Best program', metric: 'refinement/best_worth', digits: 3 },
  { title: 'Better edits', metric: 'refinement/improved', digits: 2 },
  { title: 'Completion length', metric: 'completions/mean_length', digits: 1 },
  { title: 'KL', metric: 'kl', digits: 4 },
];

/** The columns that TRL's supervised trainer logs. */
const SUPERVISED_COLUMNS: Column[] = [
  { title: 'Step', metric: 'step', digits: 0 },
  { title: 'Loss', metric: 'loss', digits: 4 },
  { title: 'Evaluation loss', metric: 'eval_loss', digits: 4 },
  { title: 'Token accuracy', metric: 'mean_token_accuracy', digits: 3 },
  { title: 'Learning rate', metric: 'learning_rate', digits: 6 },
  { title: 'Tokens', metric: 'num_tokens', digits: 0 },
];

/** Returns the columns of a run; those of evaluations and of refinement only where there are any. */
function columnsOf(data: TrainingData): Column[] {
  const columns = isSupervised(data) ? SUPERVISED_COLUMNS : COLUMNS;
  return columns.filter(
    ({ metric }) => !/^eval_|^refinement\//.test(metric) || data.log.some((entry) => metric in entry),
  );
}

/** The table of a run: a row per logged step and per event between them, the newest at the bottom and in view. */
export class MetricTable {
  readonly node: HTMLElement;
  private readonly head = element('thead', '');
  private readonly body = element('tbody', '');
  private columns: Column[] = [];
  private rows: string[] = [];
  /** Whether the end is in view, and is kept in view. */
  private following = true;

  constructor() {
    this.node = element('div', 'joylab-Table', [element('table', '', [this.head, this.body])]);
    this.node.tabIndex = 0;
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.node.addEventListener('scroll', () => {
      this.following = this.node.scrollTop + this.node.clientHeight >= this.node.scrollHeight - 24;
    });
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', 'Table of training steps');
  }

  show(data: TrainingData): void {
    this.showHead(columnsOf(data));
    const rows = allRows(data, this.columns);
    const kept = commonStart(
      this.rows,
      rows.map((row) => row.key),
    );
    while (this.body.rows.length > kept) this.body.lastElementChild!.remove();
    for (const row of rows.slice(kept)) this.body.append(row.make());
    this.rows = rows.map((row) => row.key);
    this.node.hidden = rows.length === 0;
    if (this.following) this.node.scrollTop = this.node.scrollHeight;
  }

  private showHead(columns: Column[]): void {
    if (columns.map(({ title }) => title).join() === this.columns.map(({ title }) => title).join()) return;
    this.columns = columns;
    this.head.replaceChildren(
      element(
        'tr',
        '',
        columns.map((column) => header(column.title)),
      ),
    );
    this.body.replaceChildren();
    this.rows = [];
  }
}

/** A row of the table. Rows with equal keys are equal. */
interface Row {
  key: string;
  make(): HTMLTableRowElement;
}

/** Returns a row per logged step, with the evaluation of that step, and one per event. */
function allRows({ log, events }: TrainingData, columns: Column[]): Row[] {
  const steps = new Map<number, Record<string, number>>();
  for (const entry of log) steps.set(entry.step, { ...entry, ...steps.get(entry.step) });
  const rows: Row[] = [];
  let next = 0;
  for (const entry of steps.values()) {
    while (next < events.length && events[next].step < entry.step)
      rows.push(eventRow(events[next++].step, events[next - 1].text, columns.length));
    rows.push(stepRow(entry, columns));
  }
  for (const event of events.slice(next)) rows.push(eventRow(event.step, event.text, columns.length));
  return rows;
}

function stepRow(entry: Record<string, number>, columns: Column[]): Row {
  const texts = columns.map(({ metric, digits }) => format(entry[metric], digits));
  return {
    key: texts.join('\t'),
    make: () =>
      element(
        'tr',
        '',
        texts.map((text) => element('td', '', text)),
      ),
  };
}

function eventRow(step: number, text: string, columns: number): Row {
  const make = () => {
    const cell = element('td', 'joylab-Table-event', text);
    cell.colSpan = columns - 1;
    return element('tr', '', [element('td', '', String(step)), cell]);
  };
  return { key: `event ${step}\t${text}`, make };
}

function header(title: string): HTMLElement {
  const cell = element('th', '', title);
  cell.scope = 'col';
  return cell;
}

function format(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const tiny = value !== 0 && Math.abs(value) < 0.5 * 10 ** -digits;
  return (tiny ? value.toExponential(1) : value.toFixed(digits)).replace('-', '−');
}

function commonStart(a: string[], b: string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
