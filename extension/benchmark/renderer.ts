import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { BenchmarkData, BenchmarkGroup } from '../../kernel/display/benchmarkMime';
import {
  footnotes,
  groupTable,
  moreComparisons,
  summaryTable,
  type BenchmarkTable,
} from '../../kernel/display/benchmarkTable';
import { element } from '../widgets/element';
import { problem } from '../widgets/problem';
import { keepReachable } from '../widgets/reachable';
import { IntervalChart } from './intervalChart';
// From where this file is compiled to. The style is loaded with the table.
import '../../../../style/benchmark.css';

/** Renders a benchmark: a table, a chart and comparisons for each environment. */
export class BenchmarkRenderer extends Widget implements IRenderMime.IRenderer {
  private charts: IntervalChart[] = [];

  constructor(private readonly mimeType: string) {
    super();
    this.addClass('joylab-Output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[this.mimeType] as unknown as BenchmarkData;
    this.disposeCharts();
    const wrong = checkBenchmark(data);
    this.node.replaceChildren(
      wrong
        ? problem('This benchmark cannot be shown.', `In the saved data, ${wrong}. Run the cell again.`)
        : this.view(data),
    );
    return Promise.resolve();
  }

  override dispose(): void {
    this.disposeCharts();
    super.dispose();
  }

  private disposeCharts(): void {
    for (const chart of this.charts) chart.dispose();
    this.charts = [];
  }

  private view({ groups, summary, notes }: BenchmarkData): HTMLElement {
    return element('div', 'joylab-Benchmark', [
      ...groups.map((group) => this.group(group)),
      ...(summary ? [section([table(summaryTable(summary), 'Means over all environments')])] : []),
      ...(notes.length > 0 ? [section([sentences(notes, 'joylab-Benchmark-notes')])] : []),
    ]);
  }

  private group(group: BenchmarkGroup): HTMLElement {
    const { environment, caption, statements, otherStatements } = group;
    const chart = new IntervalChart(group);
    this.charts.push(chart);
    const head = element('div', 'joylab-Benchmark-head', [
      element('span', 'joylab-Benchmark-title', environment),
      element('span', 'joylab-Benchmark-caption', caption),
    ]);
    const more =
      otherStatements.length > 0
        ? [
            element('details', 'joylab-Benchmark-more', [
              element('summary', '', moreComparisons(otherStatements.length)),
              sentences(otherStatements, 'joylab-Benchmark-statements'),
            ]),
          ]
        : [];
    return section([
      head,
      table(groupTable(group), `Results in ${environment}`),
      chart.node,
      ...(statements.length > 0 ? [sentences(statements, 'joylab-Benchmark-statements')] : []),
      ...more,
      ...(footnotes(group).length > 0 ? [sentences(footnotes(group), 'joylab-Benchmark-notes')] : []),
    ]);
  }
}

function section(children: HTMLElement[]): HTMLElement {
  return element('section', 'joylab-Benchmark-group', children);
}

function sentences(texts: readonly string[], className: string): HTMLElement {
  return element(
    'ul',
    className,
    texts.map((text) => element('li', '', text)),
  );
}

/** Returns a table that scrolls where the output is narrow. */
function table({ columns, rows }: BenchmarkTable, name: string): HTMLElement {
  const side = (c: number) => (columns[c].align === 'left' ? 'joylab-mod-text' : '');
  const headings = columns.map(({ title }, c) => {
    const node = element('th', side(c), title);
    node.scope = 'col';
    return node;
  });
  const body = rows.map((cells) =>
    element(
      'tr',
      '',
      cells.map((text, c) => element('td', side(c), text)),
    ),
  );
  const node = element('div', 'joylab-Benchmark-table', [
    element('table', '', [element('thead', '', [element('tr', '', headings)]), element('tbody', '', body)]),
  ]);
  node.setAttribute('aria-label', name);
  keepReachable(node);
  return node;
}

/** Returns what is wrong with the data, in words; `null` when it can be shown. */
function checkBenchmark(data: BenchmarkData): string | null {
  if (typeof data !== 'object' || data === null) return 'it is not an object';
  if (data.version !== 1) return `it has version ${data.version}, this view knows version 1`;
  if (!Array.isArray(data.groups) || !Array.isArray(data.notes)) return 'its results are missing';
  const isWhole = ({ rows, statements, otherStatements }: BenchmarkGroup) =>
    Array.isArray(rows) &&
    Array.isArray(statements) &&
    Array.isArray(otherStatements) &&
    rows.every((row) => typeof row.policy === 'string' && typeof row.score?.mean === 'number');
  return data.groups.every(isWhole) ? null : 'its results are not complete';
}
