import type { ComparedFunction } from '../../kernel/display/rewardsMime';
import { formatNumber } from '../../kernel/display/table';
import { element } from '../widgets/element';

const WIDTH = 320;
const HEIGHT = 72;

/** Returns the rewards of a function before (an outline) and after (bars), over the same range. */
export function histogram({ name, histogram: { low, high, before, after } }: ComparedFunction): HTMLElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `Rewards of ${name} from ${formatNumber(low)} to ${formatNumber(high)}`);
  const most = Math.max(1, ...before, ...after);
  const width = WIDTH / Math.max(1, after.length);
  const top = (count: number) => HEIGHT - (count / most) * (HEIGHT - 4);
  after.forEach((count, i) => {
    if (count > 0) svg.append(bar(i * width + 1, top(count), width - 2, count));
  });
  if (before.length > 0) svg.append(outline(before, width, top));
  const axis = element('div', 'joylab-Histogram-axis', [
    element('span', '', formatNumber(low).replace('-', '−')),
    element('span', '', formatNumber(high).replace('-', '−')),
  ]);
  return element('div', 'joylab-Histogram', [svg, axis]);
}

function bar(x: number, y: number, width: number, count: number): SVGElement {
  const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [name, value] of Object.entries({ x, y, width, height: HEIGHT - y, class: 'joylab-Histogram-after' }))
    rect.setAttribute(name, String(value));
  const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  title.textContent = `${count} now`;
  rect.append(title);
  return rect;
}

function outline(counts: readonly number[], width: number, top: (count: number) => number): SVGElement {
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  const steps = counts.map((count, i) => `L${i * width},${top(count)} L${(i + 1) * width},${top(count)}`);
  path.setAttribute('d', `M0,${HEIGHT} ${steps.join(' ')} L${WIDTH},${HEIGHT}`);
  path.setAttribute('class', 'joylab-Histogram-before');
  return path;
}
