import type { RolloutRow, RunData } from '../../../kernel/display/rollouts';
import { describe, element, setText } from '../../widgets/element';
import { RewardCurve } from '../curve';
import { sorted } from './order';
import { dateOf } from './runs';
import { RolloutTile } from '../tile';
import type { Page, PageContext } from './page';

/** A run: the curve of its steps, and the group of one of them. */
export async function stepPage(context: PageContext): Promise<Page> {
  const { connection, route } = context;
  const run = await connection.run(route.run!);
  const step = route.step ?? run.history.at(-1)?.step;
  const rows = step === undefined ? [] : await connection.group(run.run, step);
  return new StepPage(context, run, step ?? 0, rows);
}

const ORDERS = ['reward', 'advantage', 'return', 'steps', 'tokens', 'sampled'];

class StepPage implements Page {
  readonly node: HTMLElement;
  private readonly curve: RewardCurve;
  private readonly title = element('h2', 'joylab-Rollouts-title');
  private readonly count = element('span', 'joylab-Rollouts-count');
  private readonly tiles = element('div', 'joylab-Rollouts-tiles');
  private readonly known = new Map<number, RolloutTile>();
  private readonly ascending = element('button', 'joylab-Switch');

  constructor(
    private readonly context: PageContext,
    private run: RunData,
    private step: number,
    private rows: readonly RolloutRow[],
  ) {
    this.curve = new RewardCurve((chosen) => void this.open(chosen));
    this.count.setAttribute('role', 'status');
    this.tiles.setAttribute('role', 'list');
    const about = [run.environment ?? 'text', run.model, `started ${dateOf(run)}`, `${run.rollouts} rollouts`];
    this.node = element('div', 'joylab-Step', [
      element('p', 'joylab-Step-about', about.join(' · ')),
      this.curve.node,
      this.toolbar(),
      this.tiles,
    ]);
    this.show();
  }

  dispose(): void {
    this.curve.dispose();
    this.forget();
  }

  /** Moves the focus from tile to tile. */
  onKey({ key }: KeyboardEvent): boolean {
    const tiles = [...this.tiles.querySelectorAll<HTMLElement>('button')];
    const at = tiles.indexOf(document.activeElement as HTMLElement);
    if (key === 'Escape') this.context.go({ run: undefined, step: undefined });
    else {
      const across = Math.max(1, getComputedStyle(this.tiles).gridTemplateColumns.split(' ').length);
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[key];
      if (by === undefined || tiles.length === 0) return false;
      tiles[at < 0 ? 0 : Math.min(tiles.length - 1, Math.max(0, at + by))].focus();
    }
    return true;
  }

  async refresh(): Promise<void> {
    const run = await this.context.connection.run(this.run.run);
    if (run.steps === this.run.steps) return;
    this.run = run;
    this.curve.show([{ name: 'reward', history: run.history }], this.step);
  }

  private async open(step: number): Promise<void> {
    this.step = step;
    this.curve.show([{ name: 'reward', history: this.run.history }], step);
    const rows = await this.context.connection.group(this.run.run, step);
    if (step !== this.step) return;
    this.rows = rows;
    this.forget();
    this.show();
    this.context.note({ step });
  }

  private toolbar(): HTMLElement {
    const { order } = this.context;
    const sort = element('select', 'joylab-Select');
    for (const name of [...ORDERS, ...this.run.functions])
      sort.append(new Option(ORDERS.includes(name) ? name : `function ${name}`, name));
    sort.value = order.by;
    if (sort.value === '') sort.value = order.by = 'reward';
    sort.addEventListener('change', () => {
      order.by = sort.value;
      this.show();
    });
    this.ascending.type = 'button';
    this.ascending.addEventListener('click', () => {
      order.ascending = !order.ascending;
      this.show();
    });
    const filter = element('input', 'joylab-Filter');
    filter.type = 'search';
    filter.placeholder = 'Words of a program or an ending';
    filter.value = order.filter;
    filter.setAttribute('aria-label', 'Filter');
    filter.addEventListener('input', () => {
      order.filter = filter.value;
      this.show();
    });
    const label = element('label', 'joylab-Rollouts-label', ['Sort by ', sort]);
    return element('div', 'joylab-Rollouts-toolbar', [this.title, this.count, label, this.ascending, filter]);
  }

  private show(): void {
    const { order } = this.context;
    const rows = sorted(this.rows, order);
    const known = this.rows.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    const [least, most] = [Math.min(...known), Math.max(...known)];
    const { history } = this.run;
    this.curve.show([{ name: 'reward', history }], this.step);
    setText(this.title, history.length === 0 ? 'No step yet' : `Step ${this.step}`);
    setText(
      this.count,
      countText(
        this.rows.length,
        rows.length,
        history.some(({ step }) => step === this.step),
      ),
    );
    setText(this.ascending, order.ascending ? 'lowest first' : 'highest first');
    describe(this.ascending, order.ascending ? 'Lowest first: change' : 'Highest first: change');
    const tiles = rows.map((row) => this.tile(row, shareOf(row.reward, least, most)));
    this.tiles.replaceChildren(...tiles.map(({ node }) => node));
  }

  /** Returns the tile of a rollout, which stays while the step does: its frames may be there. */
  private tile(row: RolloutRow, share: number | null): RolloutTile {
    let tile = this.known.get(row.id);
    if (!tile) {
      const { frames, go } = this.context;
      tile = new RolloutTile(row, share, frames, () => go({ step: row.step, position: row.position }));
      this.known.set(row.id, tile);
    }
    return tile;
  }

  private forget(): void {
    for (const tile of this.known.values()) tile.dispose();
    this.known.clear();
  }
}

function countText(all: number, some: number, known: boolean): string {
  if (all === 0)
    return known
      ? 'Its rollouts are not kept any more: rolloutsTotalLimit says how many are.'
      : 'The run has no such step.';
  return some === all ? `${all} rollouts` : `${some} of ${all} rollouts`;
}

/** Returns where a reward is between the least and the best of its step, from 0 to 1. */
function shareOf(reward: number | null, least: number, most: number): number | null {
  if (reward === null) return null;
  return most > least ? (reward - least) / (most - least) : 0.5;
}
