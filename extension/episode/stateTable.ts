import { element, setText } from '../widgets/element';
import { keepReachable } from '../widgets/reachable';
import { formatNumber, type Timeline } from './timeline';

/** The named state at a frame: what the strategy saw; values that have just changed stand out. */
export class StateTable {
  readonly node: HTMLElement;
  private readonly values = new Map<string, HTMLElement>();

  constructor(private readonly timeline: Timeline) {
    const rows = timeline.stateAt(0).map(({ name }) => {
      const value = element('td', 'joylab-State-value');
      this.values.set(name, value);
      const head = element('th', '', name);
      head.scope = 'row';
      head.title = name;
      return element('tr', '', [head, value]);
    });
    const table = element('table', '', [element('tbody', '', rows)]);
    this.node = element('div', 'joylab-State', [table]);
    this.node.setAttribute('aria-label', 'Named state');
    keepReachable(this.node);
  }

  show(frame: number): void {
    for (const { name, value, changed } of this.timeline.stateAt(frame)) {
      const cell = this.values.get(name)!;
      setText(cell, formatNumber(value));
      cell.classList.toggle('joylab-mod-changed', changed);
    }
  }
}
