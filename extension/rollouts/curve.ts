import type { StepSummary } from '../../kernel/display/rollouts';
import { chartTheme, watchTheme } from '../charts/theme';
import { formatNumber } from '../episode/timeline';
import { element, setText } from '../widgets/element';

/** A run's mean reward over its steps. */
export interface Series {
  name: string;
  history: readonly StepSummary[];
}

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 128;
const MARGIN = { left: 44, right: 10, top: 8, bottom: 18 };

/**
 * The mean reward of steps, of one run or of several, in SVG: light enough to follow the
 * pointer. A click, or the arrow keys, choose a step.
 */
export class RewardCurve {
  readonly node: HTMLElement;
  private readonly svg = document.createElementNS(SVG, 'svg');
  private readonly label = element('div', 'joylab-Curve-label');
  private readonly observer: ResizeObserver;
  private readonly unwatch: () => void;
  private series: readonly Series[] = [];
  private chosen: number | null = null;
  private width = 0;

  /** @param choose called with the step that the user chooses */
  constructor(private readonly choose: ((step: number) => void) | null) {
    this.node = element('div', 'joylab-Curve', [this.label, this.svg as unknown as HTMLElement]);
    this.node.dataset.lmSuppressShortcuts = 'true';
    if (choose) {
      this.svg.setAttribute('tabindex', '0');
      this.svg.setAttribute('role', 'slider');
      this.svg.addEventListener('click', (event) => this.pick(event));
      this.svg.addEventListener('keydown', (event) => this.onKey(event));
    } else this.svg.setAttribute('role', 'img');
    this.svg.addEventListener('pointermove', (event) => this.hover(event));
    this.svg.addEventListener('pointerleave', () => this.tell(this.chosen));
    this.observer = new ResizeObserver(([{ contentRect }]) => this.resize(Math.round(contentRect.width)));
    this.observer.observe(this.node);
    this.unwatch = watchTheme(() => this.draw());
  }

  show(series: readonly Series[], chosen: number | null = null): void {
    this.series = series;
    this.chosen = chosen;
    this.draw();
  }

  dispose(): void {
    this.observer.disconnect();
    this.unwatch();
  }

  private resize(width: number): void {
    if (width === this.width) return;
    this.width = width;
    this.draw();
  }

  private draw(): void {
    const { svg, width } = this;
    if (width === 0) return;
    const theme = chartTheme(this.node);
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute('height', String(HEIGHT));
    svg.replaceChildren();
    const scale = this.scale();
    for (const value of scale.ticks) {
      const y = scale.y(value);
      svg.append(
        shape('line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y, stroke: theme.grid }),
        text(formatNumber(value), { x: MARGIN.left - 6, y: y + 4, 'text-anchor': 'end', fill: theme.faint }),
      );
    }
    for (const step of new Set([scale.first, scale.last]))
      svg.append(
        text(`step ${step}`, {
          x: scale.x(step),
          y: HEIGHT - 4,
          'text-anchor': step === scale.last && scale.last > scale.first ? 'end' : 'start',
          fill: theme.faint,
        }),
      );
    this.series.forEach(({ history }, i) => {
      const colour = theme.series[i % theme.series.length];
      const known = history.filter(({ mean }) => mean !== null);
      if (this.series.length === 1) svg.append(shape('path', { d: band(known, scale), fill: colour, opacity: 0.18 }));
      svg.append(shape('path', { d: line(known, scale), fill: 'none', stroke: colour, 'stroke-width': 2 }));
      if (known.length === 1)
        svg.append(shape('circle', { cx: scale.x(known[0].step), cy: scale.y(known[0].mean!), r: 3, fill: colour }));
    });
    this.drawChosen(scale, theme.text);
    this.tell(this.chosen);
  }

  private drawChosen(scale: Scale, colour: string): void {
    if (this.chosen === null) return;
    const x = scale.x(this.chosen);
    this.svg.append(shape('line', { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, stroke: colour }));
    const mean = this.at(this.chosen)?.mean;
    if (mean != null) this.svg.append(shape('circle', { cx: x, cy: scale.y(mean), r: 4, fill: colour }));
  }

  /** Shows the values of a step above the curve. */
  private tell(step: number | null): void {
    const theme = chartTheme(this.node);
    const parts = this.series.map(({ name, history }, i) => {
      const value = step === null ? history.at(-1) : history.find((one) => one.step === step);
      const part = element('span', 'joylab-Curve-value');
      part.style.setProperty('--joylab-series', theme.series[i % theme.series.length]);
      const spread = value?.mean != null && value.high != null ? ` ± ${formatNumber(value.high - value.mean)}` : '';
      setText(part, `${name} ${value?.mean == null ? '–' : formatNumber(value.mean)}${spread}`);
      return part;
    });
    this.label.replaceChildren(...(step === null ? [] : [element('span', '', `Step ${step}`)]), ...parts);
    const said = this.label.innerText.replace(/\s+/g, ' ');
    this.svg.setAttribute('aria-label', this.choose ? 'Step of the run' : `Mean reward over the steps: ${said}`);
    if (!this.choose) return;
    const scale = this.scale();
    this.svg.setAttribute('aria-valuemin', String(scale.first));
    this.svg.setAttribute('aria-valuemax', String(scale.last));
    this.svg.setAttribute('aria-valuenow', String(step ?? scale.last));
    this.svg.setAttribute('aria-valuetext', said);
  }

  private scale(): Scale {
    const all = this.series.flatMap(({ history }) => history);
    const steps = all.map(({ step }) => step);
    const values = all.flatMap(({ mean, low, high }) =>
      mean === null ? [] : this.series.length === 1 ? [low ?? mean, high ?? mean] : [mean],
    );
    const [first, last] = steps.length > 0 ? [Math.min(...steps), Math.max(...steps)] : [0, 1];
    let [least, most] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
    if (least === most) [least, most] = [least - 1, most + 1];
    const inner = { width: this.width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    return {
      first,
      last,
      ticks: [least, (least + most) / 2, most],
      x: (step) => MARGIN.left + ((step - first) / Math.max(1, last - first)) * inner.width,
      y: (value) => MARGIN.top + ((most - value) / (most - least)) * inner.height,
    };
  }

  private at(step: number): StepSummary | undefined {
    return this.series[0]?.history.find((one) => one.step === step);
  }

  /** Returns the step nearest to the pointer. */
  private nearest({ clientX }: MouseEvent): number | null {
    const scale = this.scale();
    const x = clientX - this.svg.getBoundingClientRect().left;
    let best: number | null = null;
    for (const { step } of this.series.flatMap(({ history }) => history))
      if (best === null || Math.abs(scale.x(step) - x) < Math.abs(scale.x(best) - x)) best = step;
    return best;
  }

  private hover(event: PointerEvent): void {
    this.tell(this.nearest(event));
  }

  private pick(event: MouseEvent): void {
    const step = this.nearest(event);
    if (step !== null) this.choose?.(step);
  }

  private onKey(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    const { history } = this.series[0] ?? { history: [] };
    if (by === undefined || history.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = history.findIndex(({ step }) => step === this.chosen);
    const next = history[Math.min(history.length - 1, Math.max(0, (at < 0 ? history.length - 1 : at) + by))];
    if (next.step !== this.chosen) this.choose?.(next.step);
  }
}

interface Scale {
  first: number;
  last: number;
  ticks: number[];
  x(step: number): number;
  y(value: number): number;
}

function line(history: readonly StepSummary[], { x, y }: Scale): string {
  return history
    .map(({ step, mean }, i) => `${i === 0 ? 'M' : 'L'}${x(step).toFixed(1)} ${y(mean!).toFixed(1)}`)
    .join('');
}

function band(history: readonly StepSummary[], { x, y }: Scale): string {
  const edge = (part: 'low' | 'high') =>
    history.map((one) => `${x(one.step).toFixed(1)} ${y(one[part] ?? one.mean!).toFixed(1)}`);
  return history.length === 0 ? '' : `M${[...edge('high'), ...edge('low').reverse()].join('L')}Z`;
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}

function text(content: string, attributes: Record<string, string | number>): SVGElement {
  const node = shape('text', attributes);
  node.textContent = content;
  return node;
}
