import { element, setText } from '../widgets/element';
import { valueAt, type ChartContent } from './content';

/** The lines of a chart with their values at a step, each a switch where there are several. */
export class Legend {
  readonly node = element('div', 'joylab-Legend');
  /** Names of the lines that are switched off. */
  readonly hidden = new Set<string>();
  private readonly place = element('span', 'joylab-Legend-step');
  private values: HTMLElement[] = [];
  private key = '';

  /** @param changed called when a line is switched */
  constructor(private readonly changed: () => void) {}

  /** @param cursor the step whose values are shown; `null`: the newest */
  show(content: ChartContent, colours: readonly string[], cursor: number | null): void {
    const { lines, marks } = content;
    const colour = (i: number) => colours[i % colours.length];
    const key = lines.map(({ name }, i) => `${name}\n${colour(i)}`).join('\n');
    if (key !== this.key) {
      this.key = key;
      this.values = [];
      this.node.replaceChildren(
        ...lines.map(({ name }, i) => this.item(name, colour(i), lines.length > 1)),
        this.place,
      );
    }
    const step = cursor ?? Math.max(...lines.map(({ x }) => x.at(-1) ?? 0));
    lines.forEach((line, i) => setText(this.values[i], valueAt(line, step)));
    const here = marks.filter(({ x }) => x === step).map(({ text }) => text);
    setText(this.place, cursor === null ? '' : [`step ${step}`, ...here].join(' · '));
    this.place.title = here.join('\n');
  }

  private item(name: string, colour: string, switches: boolean): HTMLElement {
    const value = element('span', 'joylab-Legend-value');
    this.values.push(value);
    const node = element(switches ? 'button' : 'span', 'joylab-Legend-item', [name, ' ', value]);
    node.style.setProperty('--joylab-series', colour);
    if (!(node instanceof HTMLButtonElement)) return node;
    node.type = 'button';
    node.setAttribute('aria-pressed', String(!this.hidden.has(name)));
    node.addEventListener('click', () => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      node.setAttribute('aria-pressed', String(!this.hidden.has(name)));
      this.changed();
    });
    return node;
  }
}
