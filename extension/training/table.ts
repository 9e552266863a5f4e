import type { TrainingData } from '../../kernel/display/mime';
import { formatNumber } from '../../kernel/display/table';
import { tableColumns, type MetricColumn } from '../../kernel/display/training/trainingBundle';
import { element } from '../widgets/element';

/** Rows that are drawn until the user wants all: a long run has thousands. */
const NEWEST = 100;

/** The table of a run: a row per logged step and per event between them, the newest at the bottom and in view. */
export class MetricTable {
  readonly node: HTMLElement;
  private readonly head = element('thead', '');
  private readonly body = element('tbody', '');
  private columns: MetricColumn[] = [];
  private rows: Row[] = [];
  private data: TrainingData | null = null;
  private all = false;
  /** Whether the end is in view, and is kept in view. */
  private following = true;

  /** @param chosen called with a step that the user wants to see */
  constructor(private readonly chosen: (step: number) => void) {
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
    this.data = data;
    this.showHead(tableColumns(data));
    const every = allRows(data);
    const rows = this.all ? every : every.slice(-NEWEST);
    const left = every.length - rows.length;
    if (left > 0) rows.unshift({ kind: 'more', left });
    this.node.hidden = rows.length === 0;
    // Scrolling costs a layout of the page.
    if (this.replace(rows) && this.following) this.node.scrollTop = this.node.scrollHeight;
  }

  /** Replaces the rows that differ: those that leave at the top, and those that come at the bottom. Returns whether there were some. */
  private replace(rows: Row[]): boolean {
    const first = rows.find(({ kind }) => kind !== 'more');
    const from = first ? this.rows.findIndex((row) => isSame(row, first)) : -1;
    const kept = from < 0 ? [] : this.rows.slice(from);
    const next = rows.filter(({ kind }) => kind !== 'more');
    let same = 0;
    while (same < kept.length && same < next.length && isSame(kept[same], next[same])) same++;
    for (let i = 0; i < (from < 0 ? this.rows.length : from); i++) this.body.firstElementChild!.remove();
    while (this.body.rows.length > same) this.body.lastElementChild!.remove();
    for (const row of next.slice(same)) this.body.append(this.make(row));
    const [more] = rows;
    if (more?.kind === 'more') this.body.prepend(this.make(more));
    const changed = same < next.length || same < kept.length;
    this.rows = rows;
    return changed;
  }

  private make(row: Row): HTMLTableRowElement {
    if (row.kind === 'step') return this.stepRow(row.entry);
    const cell = element('td', 'joylab-Table-event');
    cell.colSpan = Math.max(1, this.columns.length - (row.kind === 'event' ? 1 : 0));
    if (row.kind === 'event') {
      cell.textContent = row.text;
      return element('tr', '', [element('td', '', String(row.step)), cell]);
    }
    const button = element('button', 'joylab-Table-step', `Show ${row.left.toLocaleString('en')} earlier rows`);
    button.type = 'button';
    button.addEventListener('click', () => {
      this.all = true;
      this.following = false;
      this.show(this.data!);
    });
    cell.append(button);
    return element('tr', '', [cell]);
  }

  private stepRow(entry: Entry): HTMLTableRowElement {
    const cells = this.columns.map(({ metric, digits }) => {
      const text = formatNumber(entry[metric], digits).replace('-', '−');
      if (metric !== 'step') return element('td', '', text);
      const button = element('button', 'joylab-Table-step', text);
      button.type = 'button';
      button.title = `Show the rollouts of step ${text}`;
      button.addEventListener('click', () => this.chosen(entry.step));
      return element('td', '', [button]);
    });
    return element('tr', '', cells);
  }

  private showHead(columns: MetricColumn[]): void {
    if (columns.map(({ metric }) => metric).join() === this.columns.map(({ metric }) => metric).join()) return;
    this.columns = columns;
    this.head.replaceChildren(
      element(
        'tr',
        '',
        columns.map((column) => header(titleOf(column))),
      ),
    );
    this.body.replaceChildren();
    this.rows = [];
  }
}

type Entry = Record<string, number>;

/** A row of the table. */
type Row =
  | { kind: 'step'; entry: Entry }
  | { kind: 'event'; step: number; text: string }
  | { kind: 'more'; left: number };

/** Entries of the log do not change: a row of the same ones is the same row. */
function isSame(a: Row, b: Row): boolean {
  if (a.kind === 'step' && b.kind === 'step') return a.entry === b.entry || equal(a.entry, b.entry);
  return a.kind === 'event' && b.kind === 'event' && a.step === b.step && a.text === b.text;
}

function equal(a: Entry, b: Entry): boolean {
  return a.step === b.step && Object.keys(a).length === Object.keys(b).length && a.reward === b.reward;
}

/** Returns a row per logged step, with the evaluation of that step, and one per event. */
function allRows({ log, events }: TrainingData): Row[] {
  const steps = new Map<number, Entry>();
  for (const entry of log) {
    const other = steps.get(entry.step);
    steps.set(entry.step, other ? { ...entry, ...other } : entry);
  }
  const rows: Row[] = [];
  let next = 0;
  for (const entry of steps.values()) {
    for (; next < events.length && events[next].step < entry.step; next++) rows.push(eventRow(events[next]));
    rows.push({ kind: 'step', entry });
  }
  return [...rows, ...events.slice(next).map(eventRow)];
}

function eventRow({ step, text }: TrainingData['events'][number]): Row {
  return { kind: 'event', step, text };
}

/** Returns a heading: names of reward functions stay as they are. */
function titleOf({ title, metric }: MetricColumn): string {
  if (metric === 'kl') return 'KL';
  return metric.startsWith('rewards/') ? title : title[0].toUpperCase() + title.slice(1).replace('_', ' ');
}

function header(title: string): HTMLElement {
  const cell = element('th', '', title);
  cell.scope = 'col';
  return cell;
}
