import type { TrainingData } from '../../kernel/display/mime';
import { element } from '../widgets/element';

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
  { title: 'Completion length', metric: 'completions/mean_length', digits: 1 },
  { title: 'KL', metric: 'kl', digits: 4 }
];

/** The table of a run: a row per step, what happened between them, the newest at the bottom and in view. */
export class MetricTable {
  readonly node: HTMLElement;
  private readonly body = element('tbody', '');
  private rows: string[] = [];
  /** Whether the end is in view: then it stays so. */
  private following = true;

  constructor() {
    const head = element('thead', '', [element('tr', '', COLUMNS.map(column => header(column.title)))]);
    this.node = element('div', 'joylab-Table', [element('table', '', [head, this.body])]);
    this.node.tabIndex = 0;
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.node.addEventListener('scroll', () => {
      this.following = this.node.scrollTop + this.node.clientHeight >= this.node.scrollHeight - 24;
    });
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Table of training steps');
  }

  show(data: TrainingData): void {
    const rows = allRows(data);
    const kept = commonStart(this.rows, rows.map(row => row.key));
    while (this.body.rows.length > kept) this.body.lastElementChild!.remove();
    for (const row of rows.slice(kept)) this.body.append(row.make());
    this.rows = rows.map(row => row.key);
    this.node.hidden = rows.length === 0;
    if (this.following) this.node.scrollTop = this.node.scrollHeight;
  }
}

/** `key` says what the row shows: equal keys, equal rows. */
interface Row {
  key: string;
  make(): HTMLTableRowElement;
}

function allRows({ log, events }: TrainingData): Row[] {
  const rows: Row[] = [];
  let next = 0;
  for (const entry of log) {
    while (next < events.length && events[next].step < entry.step) rows.push(eventRow(events[next++].step, events[next - 1].text));
    rows.push(stepRow(entry));
  }
  for (const event of events.slice(next)) rows.push(eventRow(event.step, event.text));
  return rows;
}

function stepRow(entry: Record<string, number>): Row {
  const texts = COLUMNS.map(({ metric, digits }) => format(entry[metric], digits));
  return { key: texts.join('\t'), make: () => element('tr', '', texts.map(text => element('td', '', text))) };
}

function eventRow(step: number, text: string): Row {
  const make = () => {
    const cell = element('td', 'joylab-Table-event', text);
    cell.colSpan = COLUMNS.length - 1;
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
