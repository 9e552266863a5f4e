import type { RunData, RunSummary } from '../../../kernel/display/rollouts';
import { element } from '../../widgets/element';
import { RewardCurve } from '../curve';
import { shown, table } from '../details';
import type { Page, PageContext } from './page';

/** The runs of a file: a row for each, and those that are chosen side by side. */
export async function runsPage(context: PageContext): Promise<Page> {
  const runs = await context.connection.runs();
  return new RunsPage(context, runs);
}

class RunsPage implements Page {
  readonly node: HTMLElement;
  private readonly comparison = element('div', 'joylab-Runs-comparison');
  private readonly chosen = new Set<string>();
  private readonly known = new Map<string, Promise<RunData>>();
  private curve: RewardCurve | null = null;
  private disposed = false;

  constructor(
    private readonly context: PageContext,
    private readonly runs: readonly RunSummary[],
  ) {
    const hint = element(
      'p',
      'joylab-Rollouts-hint',
      runs.length === 0
        ? 'This file has no run yet: a run writes its first step when it is made.'
        : 'Open a run to see its steps; tick two or more to compare them.',
    );
    const head = ['compare', 'started', 'environment', 'model', 'steps', 'rollouts', 'last reward', 'best reward'];
    const list = table(
      head,
      runs.map((run) => this.row(run)),
    );
    list.hidden = runs.length === 0;
    const scroll = element('div', 'joylab-Rollouts-scroll joylab-Runs-list', [list]);
    this.node = element('div', 'joylab-Runs', [hint, scroll, this.comparison]);
  }

  dispose(): void {
    this.disposed = true;
    this.curve?.dispose();
  }

  private row(run: RunSummary): HTMLElement {
    const box = element('input', '');
    box.type = 'checkbox';
    box.setAttribute('aria-label', `Compare the run of ${dateOf(run)}`);
    box.addEventListener('change', () => {
      if (box.checked) this.chosen.add(run.run);
      else this.chosen.delete(run.run);
      void this.compare();
    });
    const open = element('button', 'joylab-Link', dateOf(run));
    open.type = 'button';
    open.addEventListener('click', () => this.context.go({ run: run.run }));
    const cells = [run.environment ?? 'text', run.model, run.steps, run.rollouts, shown(run.reward), shown(run.best)];
    return element('tr', '', [
      element('td', '', [box]),
      element('td', '', [open]),
      ...cells.map((cell) => element('td', '', String(cell))),
    ]);
  }

  private async compare(): Promise<void> {
    const ids = this.runs.map(({ run }) => run).filter((run) => this.chosen.has(run));
    const data = await Promise.all(
      ids.map((run) => {
        if (!this.known.has(run)) this.known.set(run, this.context.connection.run(run));
        return this.known.get(run)!;
      }),
    );
    // Another choice was made meanwhile.
    if (this.disposed || ids.length !== this.chosen.size || ids.some((run) => !this.chosen.has(run))) return;
    this.curve?.dispose();
    this.curve = null;
    if (data.length < 2) return this.comparison.replaceChildren();
    this.curve = new RewardCurve(null);
    this.comparison.replaceChildren(
      element('div', 'joylab-Rollouts-heading', 'Mean reward'),
      this.curve.node,
      element('div', 'joylab-Rollouts-heading', 'Settings that differ'),
      differences(data),
      element('div', 'joylab-Rollouts-heading', 'At the end'),
      endings(data),
    );
    this.curve.show(data.map((run) => ({ name: dateOf(run), history: run.history })));
  }
}

/** Returns when a run started, as its name. */
export function dateOf({ started }: Pick<RunSummary, 'started'>): string {
  return new Date(started).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

function differences(runs: readonly RunData[]): HTMLElement {
  const settings = runs.map(({ settings }) => flat(settings));
  const names = [...new Set(settings.flatMap((one) => [...one.keys()]))];
  const rows = names.map((name): [string, string[]] => [name, settings.map((one) => one.get(name) ?? '–')]);
  const differing = rows.filter(([, values]) => new Set(values).size > 1);
  if (differing.length === 0) return element('p', 'joylab-Rollouts-hint', 'None: all settings are the same.');
  return comparison(runs, differing);
}

/** Returns settings in words, those of an object by names with a dot; nothing of those that are not set. */
function flat(settings: Record<string, unknown>, prefix = ''): Map<string, string> {
  const rows = Object.entries(settings).flatMap(([name, value]): Array<[string, string]> => {
    if (value === null || value === undefined) return [];
    if (typeof value === 'object' && !Array.isArray(value))
      return [...flat(value as Record<string, unknown>, `${prefix}${name}.`)];
    return [[prefix + name, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
  return new Map(rows);
}

/** Returns the metrics of the last step that each has logged. */
function endings(runs: readonly RunData[]): HTMLElement {
  const last = runs.map(({ log }) => log.at(-1) ?? {});
  const names = [...new Set(last.flatMap((entry) => Object.keys(entry)))];
  return comparison(
    runs,
    names.map((name) => [name, last.map((entry) => (entry[name] === undefined ? '–' : precise(entry[name])))]),
  );
}

function comparison(runs: readonly RunData[], rows: Array<[name: string, values: string[]]>): HTMLElement {
  const body = rows.map(([name, values]) => {
    const title = element('th', '', name);
    title.scope = 'row';
    return element('tr', '', [title, ...values.map((value) => element('td', '', value))]);
  });
  const node = element('div', 'joylab-Rollouts-scroll', [table(['name', ...runs.map(dateOf)], body)]);
  node.tabIndex = 0;
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', 'Comparison of runs');
  return node;
}

function precise(value: number): string {
  return String(Number(value.toPrecision(5))).replace('-', '−');
}
