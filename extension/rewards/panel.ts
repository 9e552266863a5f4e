import type { RewardRow, RewardsData, RewardsRequest } from '../../kernel/display/rewardsMime';
import { formatNumber } from '../../kernel/display/table';
import { element } from '../widgets/element';
import { keepReachable } from '../widgets/reachable';
// From where this file is compiled to. The style is loaded with the panel.
import '../../../../style/comparison.css';
import '../../../../style/rewards.css';

/** The columns after the name, in words and with an explanation. */
const COLUMNS: Array<[title: string, explanation: string]> = [
  ['weight', 'Factor in the sum of rewards'],
  ['mean ± std', 'Over the last rollouts'],
  ['of the sum', 'Its part in the sum of all rewards, by magnitude'],
  ['of the differences', 'Its part in what tells the rollouts of a group apart: what is learned from'],
  ['with the return', 'Correlation with the return of the environment, from −1 to 1'],
  ['ties', 'Groups in which it gives all the same'],
];

/**
 * The reward functions: each can be turned off and weighed, with what it did to the last
 * rollouts, and what is wrong with it, in words.
 */
export class RewardsPanel {
  readonly node: HTMLElement;
  private readonly facts = element('span', 'joylab-Compare-facts');
  private readonly body = element('tbody', '');
  private readonly notes = element('ul', 'joylab-Rewards-notes');
  private readonly refusal = element('div', 'joylab-Rewards-refusal');
  private connected = false;

  private readonly send: (request: RewardsRequest) => void;

  /** @param visit goes to the place of a function; `null` where there is no way to it */
  constructor(
    private data: RewardsData,
    send: (request: RewardsRequest) => void,
    private readonly visit: ((source: string) => void) | null = null,
  ) {
    this.send = (request) => {
      this.refusal.textContent = '';
      send(request);
    };
    const heading = (title: string, className = '', explanation = title) => {
      const node = element('th', className, title);
      node.scope = 'col';
      node.title = explanation;
      return node;
    };
    const head = element('tr', '', [
      heading('reward function', 'joylab-mod-text', 'Checked ones count'),
      ...COLUMNS.map(([title, explanation]) => heading(title, '', explanation)),
      heading('from', 'joylab-mod-text'),
    ]);
    const table = element('div', 'joylab-Rewards-table', [
      element('table', '', [element('thead', '', [head]), this.body]),
    ]);
    keepReachable(table);
    this.refusal.setAttribute('role', 'alert');
    this.node = element('div', 'joylab-Card joylab-Compare joylab-Rewards', [
      element('div', 'joylab-Compare-head', [element('span', 'joylab-Compare-title', 'What counts'), this.facts]),
      table,
      this.notes,
      this.refusal,
    ]);
    this.show(data);
  }

  show(data: RewardsData): void {
    // What is being typed stays.
    const focus = this.body.querySelector<HTMLInputElement>('input[type="number"]:focus');
    if (focus && focus.value !== focus.defaultValue) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.control;
    this.data = data;
    this.facts.textContent =
      data.rollouts > 0
        ? `step ${data.step}, from the last ${data.rollouts} rollouts in ${data.groups} ${data.groups === 1 ? 'group' : 'groups'}`
        : 'nothing was scored yet';
    this.body.replaceChildren(...data.rows.flatMap((row) => this.rows(row)));
    this.notes.replaceChildren(
      ...data.notes.map((note) => element('li', '', `${note[0].toUpperCase()}${note.slice(1)}.`)),
    );
    this.notes.hidden = data.notes.length === 0;
    if (focused && this.node.isConnected) this.control(focused)?.focus();
  }

  /** Shows why a change was refused, and what holds instead. */
  refuse(text: string): void {
    this.show(this.data);
    this.refusal.textContent = text;
  }

  /** Sets whether there is a kernel that takes changes. */
  enable(connected: boolean): void {
    if (connected === this.connected) return;
    this.connected = connected;
    this.show(this.data);
  }

  private control(name: string): HTMLElement | undefined {
    return [...this.body.querySelectorAll<HTMLElement>('[data-control]')].find((node) => node.dataset.control === name);
  }

  private rows(row: RewardRow): HTMLElement[] {
    const { name, mean, std, share, decides, withReturn, ties, source, notes } = row;
    const number = (text: string) => element('td', '', text.replace('-', '−'));
    const first = element('tr', row.enabled ? '' : 'joylab-mod-off', [
      element('td', 'joylab-mod-text', [this.checkbox(row)]),
      element('td', '', [this.weight(row)]),
      number(mean === null ? '–' : `${formatNumber(mean)} ± ${formatNumber(std)}`),
      part(share),
      part(decides),
      number(formatNumber(withReturn)),
      number(ties === null ? '–' : `${ties} of ${this.data.groups}`),
      element('td', 'joylab-mod-text', [this.place(source)]),
    ]);
    if (notes.length === 0) return [first];
    const said = element(
      'td',
      'joylab-Rewards-note',
      notes.map((note) => element('div', '', `${name} ${note}.`)),
    );
    said.colSpan = COLUMNS.length + 2;
    return [first, element('tr', '', [said])];
  }

  private place(source: string): HTMLElement | string {
    const { visit } = this;
    if (!visit || source === '') return source;
    const link = element('button', 'joylab-Link', source);
    link.type = 'button';
    link.title = `Go to ${source}`;
    link.dataset.control = `place ${source}`;
    link.addEventListener('click', () => visit(source));
    return link;
  }

  private checkbox({ name, enabled }: RewardRow): HTMLElement {
    const box = element('input', '');
    box.type = 'checkbox';
    box.checked = enabled;
    box.disabled = !this.connected;
    box.dataset.control = `on ${name}`;
    box.addEventListener('change', () => this.send({ type: 'enabled', name, enabled: box.checked }));
    return element('label', 'joylab-Rewards-name', [box, name]);
  }

  private weight({ name, weight }: RewardRow): HTMLElement {
    const input = element('input', 'joylab-Rewards-weight');
    input.type = 'number';
    input.step = 'any';
    input.value = input.defaultValue = String(weight);
    input.disabled = !this.connected;
    input.dataset.control = `weight ${name}`;
    input.dataset.lmSuppressShortcuts = 'true';
    input.setAttribute('aria-label', `Weight of ${name}`);
    const commit = () => {
      if (input.value === input.defaultValue) return;
      const value = input.valueAsNumber;
      input.defaultValue = input.value;
      if (Number.isFinite(value)) this.send({ type: 'weight', name, weight: value });
      else this.refuse(`The weight of ${name} is a number: it stays ${weight}.`);
    };
    input.addEventListener('change', commit);
    input.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') commit();
      else if (key === 'Escape') input.value = input.defaultValue;
    });
    return input;
  }
}

/** Returns a cell with a part of a whole, as a number and a bar. */
function part(value: number | null): HTMLElement {
  if (value === null) return element('td', '', '–');
  const bar = element('span', 'joylab-Rewards-bar');
  bar.style.setProperty('--joylab-part', String(value));
  return element('td', '', [bar, `${Math.round(100 * value)} %`]);
}
