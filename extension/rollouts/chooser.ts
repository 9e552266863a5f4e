import type { RelatedRollouts, RolloutRow } from '../../kernel/display/rollouts';
import { element, setText } from '../widgets/element';
import { nameOf, shown } from './details';
import type { PageContext } from './pages/page';

/** Milliseconds after the last key until a search begins. */
const DELAY = 200;

let made = 0;

/** A list with a name: "Same step". */
interface Section {
  title: string;
  rows: readonly RolloutRow[];
}

/** Chooses the rollout to compare one with: those that suggest themselves, and any other by its step or its words. */
export class RolloutChooser {
  readonly button = element('button', 'joylab-Switch', 'Compare with …');
  readonly node = element('div', 'joylab-Chooser');
  private readonly input = element('input', 'joylab-Filter');
  private readonly list = element('div', 'joylab-Chooser-list');
  private readonly state = element('p', 'joylab-Rollouts-hint');
  private related: Promise<RelatedRollouts> | null = null;
  private pinned: Promise<RolloutRow | null> | null = null;
  private timer = 0;
  /** Counts searches: only the newest may show what it found. */
  private searches = 0;

  /** @param group the rollouts of its step, in their order */
  constructor(
    private readonly context: PageContext,
    private readonly rollout: RolloutRow,
    private readonly group: readonly RolloutRow[],
  ) {
    this.node.id = `joylab-chooser-${++made}`;
    this.node.hidden = true;
    this.node.tabIndex = -1;
    this.node.addEventListener('focusout', ({ relatedTarget }) => this.leave(relatedTarget as Node | null));
    this.button.type = 'button';
    this.button.setAttribute('aria-expanded', 'false');
    this.button.setAttribute('aria-controls', this.node.id);
    this.button.addEventListener('click', () => this.toggle(this.node.hidden));
    this.input.type = 'search';
    this.input.placeholder = 'A step, or words of a program';
    this.input.setAttribute('aria-label', 'Find a rollout by its step, or by words of its program or ending');
    this.input.addEventListener('input', () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.find(), DELAY);
    });
    this.state.setAttribute('role', 'status');
    this.node.append(this.input, this.state, this.list);
    this.node.addEventListener('keydown', (event) => this.onKey(event));
  }

  dispose(): void {
    window.clearTimeout(this.timer);
    this.searches++;
  }

  /** Closes when the focus goes elsewhere in the page. */
  private leave(to: Node | null): void {
    if (document.hasFocus() && !this.node.contains(to) && !this.button.contains(to)) this.open(false);
  }

  private open(open: boolean): void {
    this.node.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
  }

  private toggle(open: boolean): void {
    this.open(open);
    if (!open) return this.button.focus();
    this.input.focus();
    void this.find();
  }

  private async find(): Promise<void> {
    const search = ++this.searches;
    const text = this.input.value.trim();
    try {
      const [sections, said] = text === '' ? await this.suggested() : await this.found(text);
      if (search !== this.searches) return;
      setText(this.state, said);
      this.show(sections);
    } catch (error) {
      if (search === this.searches) setText(this.state, (error as Error).message);
    }
  }

  private async suggested(): Promise<[Section[], string]> {
    const { connection, order } = this.context;
    const { pinned } = order;
    this.related ??= connection.related(this.rollout.id);
    this.pinned ??= pinned
      ? connection
          .group(this.context.route.run!, pinned.step)
          .then((rows) => rows.find(({ position }) => position === pinned.position) ?? null)
      : Promise.resolve(null);
    const [{ parent, best }, kept] = await Promise.all([this.related, this.pinned]);
    const one = (title: string, row: RolloutRow | null) => ({ title, rows: row ? [row] : [] });
    return [
      [
        one('Pinned', kept),
        one('Its parent', parent),
        one('Best of the run', best),
        { title: `Step ${this.rollout.step}`, rows: this.group },
      ],
      '',
    ];
  }

  private async found(text: string): Promise<[Section[], string]> {
    const { rows, more } = await this.context.connection.search(this.context.route.run!, text);
    const said = rows.length === 0 ? 'Nothing is found.' : more ? 'There may be more: use other words.' : '';
    const best = [...rows].sort((a, b) => (b.reward ?? -Infinity) - (a.reward ?? -Infinity));
    return [[{ title: 'Found', rows: best }], said];
  }

  private show(sections: readonly Section[]): void {
    const parts = sections.flatMap(({ title, rows }) => {
      const others = rows.filter(({ id }) => id !== this.rollout.id);
      if (others.length === 0) return [];
      return [element('div', 'joylab-Chooser-title', title), ...others.map((row) => this.item(row))];
    });
    this.list.replaceChildren(...parts);
  }

  private item(row: RolloutRow): HTMLElement {
    const facts = row.return === null ? (row.ending ?? 'not played') : `return ${shown(row.return)}`;
    const item = element('button', 'joylab-Chooser-item', [
      element('span', 'joylab-Chooser-reward', shown(row.reward)),
      element('span', '', `${nameOf(row)} · ${facts}`),
    ]);
    item.type = 'button';
    item.addEventListener('click', () => this.context.go({ other: { step: row.step, position: row.position } }));
    return item;
  }

  private onKey(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key !== 'Escape' && by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (by === undefined) return this.toggle(false);
    const items = [this.input, ...this.list.querySelectorAll<HTMLElement>('button')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[Math.min(items.length - 1, Math.max(0, at + by))].focus();
  }
}
