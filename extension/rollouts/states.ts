import { formatNumber } from '../episode/timeline';
import { element, setText } from '../widgets/element';

const WIDTH = 240;
const HEIGHT = 22;

/** Named state along the timeline: a line for each variable, with its value now. */
export class StateStrips {
  readonly node: HTMLElement;
  private readonly strips: Strip[];

  /** @param seek called with the step that the user points at */
  constructor(states: Readonly<Record<string, readonly number[]>>, seek: (step: number) => void) {
    this.strips = Object.entries(states)
      .filter(([, column]) => column.length > 1)
      .map(([name, column]) => new Strip(name, column, seek));
    this.node = element('div', 'joylab-Strips', [
      element('div', 'joylab-Rollouts-heading', 'State'),
      ...this.strips.map(({ node }) => node),
    ]);
    this.node.hidden = this.strips.length === 0;
  }

  show(step: number): void {
    for (const strip of this.strips) strip.show(step);
  }
}

class Strip {
  readonly node: HTMLElement;
  private readonly value = element('span', 'joylab-Strip-value');
  private readonly cursor = element('span', 'joylab-Strip-cursor');

  constructor(
    name: string,
    private readonly column: readonly number[],
    seek: (step: number) => void,
  ) {
    const picture = element('span', 'joylab-Strip-picture', [line(column), this.cursor]);
    picture.addEventListener('click', (event) => {
      const { left, width } = picture.getBoundingClientRect();
      seek(Math.round(((event.clientX - left) / width) * (column.length - 1)));
    });
    const label = element('span', 'joylab-Strip-name', name);
    label.title = name;
    this.node = element('div', 'joylab-Strip', [label, picture, this.value]);
  }

  show(step: number): void {
    const at = Math.min(step, this.column.length - 1);
    setText(this.value, formatNumber(this.column[at]));
    this.cursor.style.left = `${(100 * at) / (this.column.length - 1)}%`;
  }
}

/** Returns a line through the values; thousands of them are thinned to what the width can show. */
function line(column: readonly number[]): Element {
  const known = column.filter(Number.isFinite);
  const [least, most] = known.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity],
  );
  const stride = Math.max(1, Math.floor(column.length / (2 * WIDTH)));
  const points = column.flatMap((value, i) => {
    if (i % stride !== 0 || !Number.isFinite(value)) return [];
    const x = (i / (column.length - 1)) * WIDTH;
    const y = most > least ? HEIGHT - 2 - ((value - least) / (most - least)) * (HEIGHT - 4) : HEIGHT / 2;
    return [`${x.toFixed(1)},${y.toFixed(1)}`];
  });
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  path.setAttribute('points', points.join(' '));
  svg.append(path);
  return svg;
}
