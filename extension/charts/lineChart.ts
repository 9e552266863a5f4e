import type { PlotNode, Plotly } from 'plotly.js-basic-dist-min';
import { download } from '../widgets/download';
import { element, iconButton } from '../widgets/element';
import { icon } from '../widgets/icons';
import type { ChartContent } from './content';
import { allPositive, figure, MARGIN, type ChartLook } from './figure';
import { Legend } from './legend';
import { inTurn, loadPlotly } from './plotly';
import { MarkSigns } from './marks';
import type { ChartSync } from './sync';
import { chartTheme } from './theme';

/** Height of a plot by its width, in pixels. */
const HEIGHT = { share: 0.42, least: 220, most: 340 };

/** A line chart over steps. It can be drawn again at any time: fast successive drawings are merged. */
export class LineChart {
  readonly node: HTMLElement;
  private readonly plot = element('div', 'joylab-Chart-plot');
  private readonly cursor = element('div', 'joylab-Chart-cursor');
  private readonly marks: MarkSigns;
  private readonly legend = new Legend(() => this.redraw());
  private readonly logButton: HTMLButtonElement;
  private readonly observer: ResizeObserver;
  private content: ChartContent | null = null;
  private plotly: Plotly | null = null;
  private drawing = false;
  private dirty = false;
  private disposed = false;
  private width = 0;
  /** The width that it is to have, told by the observer: to ask the page for it would cost a layout. */
  private wanted = 0;
  private log = false;

  /** @param sync what it shares with the charts beside it */
  constructor(
    readonly title: string,
    private readonly sync: ChartSync,
  ) {
    this.logButton = iconButton(icon('log'), 'Logarithmic scale', () => {
      this.log = !this.log;
      this.redraw();
    });
    const tools = element('span', 'joylab-Chart-tools', [
      this.logButton,
      iconButton(icon('download'), 'Save the picture', () => void this.savePicture()),
      iconButton(icon('expand'), 'Full screen', () => this.toggleFullScreen()),
    ]);
    const head = element('div', 'joylab-Chart-head', [element('span', 'joylab-Chart-title', title), tools]);
    this.marks = new MarkSigns((step) => sync.clicked.emit(step));
    const place = element('div', 'joylab-Chart-place', [this.plot, this.cursor, this.marks.node]);
    this.node = element('figure', 'joylab-Chart', [
      element('figcaption', 'joylab-Chart-caption', [head, this.legend.node]),
      place,
    ]);
    this.observer = new ResizeObserver(([entry]) => this.onResize(Math.round(entry.contentRect.width)));
    this.observer.observe(this.plot);
    this.cursor.hidden = true;
    sync.changed.connect(this.onSync, this);
  }

  draw(content: ChartContent): void {
    this.content = content;
    this.redraw();
  }

  /** Draws again, for example in another theme. */
  redraw(): void {
    this.dirty = true;
    if (!this.drawing) void this.work();
  }

  dispose(): void {
    this.disposed = true;
    this.sync.changed.disconnect(this.onSync, this);
    this.observer.disconnect();
    this.plotly?.purge(this.plot);
  }

  private async work(): Promise<void> {
    this.drawing = true;
    try {
      const plotly = await loadPlotly();
      while (this.dirty && !this.disposed && this.content && this.wanted > 0) {
        this.dirty = false;
        await inTurn(() => this.paint(plotly, this.content!));
      }
    } catch (error) {
      this.plot.textContent = `The chart could not be drawn: ${(error as Error).message}`;
    } finally {
      this.drawing = false;
    }
  }

  private async paint(plotly: Plotly, content: ChartContent): Promise<void> {
    if (this.disposed) return;
    this.width = this.wanted;
    const look = this.look(content);
    this.logButton.disabled = !allPositive(content);
    this.logButton.setAttribute('aria-pressed', String(look.log));
    this.legend.show(content, look.theme.series, this.sync.cursor);
    const { data, layout } = figure(content, look);
    const node = await plotly.react(this.plot, data, layout, {
      displayModeBar: false,
      responsive: false,
      doubleClick: false,
    });
    this.marks.show(content.marks, this.axisRange ?? [0, 1], this.width);
    if (!this.plotly) this.listen(node);
    this.plotly = plotly;
    // Keyboard users find the numbers in the table: the picture is one image to screen readers.
    this.plot.setAttribute('role', 'img');
    this.plot.setAttribute('aria-label', describeChart(this.title, content));
  }

  private look(content: ChartContent): ChartLook {
    const { range, smoothing } = this.sync;
    return {
      theme: chartTheme(this.plot),
      width: this.width,
      height: this.height(),
      range,
      smoothing,
      log: this.log && allPositive(content),
      hidden: this.legend.hidden,
    };
  }

  private height(): number {
    if (document.fullscreenElement === this.node) return Math.max(HEIGHT.least, window.innerHeight - 110);
    return Math.round(Math.min(HEIGHT.most, Math.max(HEIGHT.least, this.width * HEIGHT.share)));
  }

  private listen(node: PlotNode): void {
    const { sync } = this;
    node.on('plotly_hover', ({ points }) => {
      sync.cursor = points[0]?.x ?? null;
    });
    node.on('plotly_unhover', () => {
      sync.cursor = null;
    });
    node.on('plotly_click', ({ points }) => points[0] && sync.clicked.emit(points[0].x));
    node.on('plotly_doubleclick', () => {
      sync.range = null;
    });
    node.on('plotly_relayout', (changes) => {
      const [from, to] = [changes['xaxis.range[0]'], changes['xaxis.range[1]']];
      if (typeof from === 'number' && typeof to === 'number' && to - from >= 1) sync.range = [from, to];
      else if (typeof from === 'number') this.redraw();
    });
  }

  private onSync(_: ChartSync, change: 'range' | 'smoothing' | 'cursor'): void {
    if (change === 'cursor') this.showCursor();
    else this.redraw();
  }

  /** Shows where the pointer is, in this chart or another, and the values there. */
  private showCursor(): void {
    const { content, sync, cursor } = this;
    if (!content) return;
    const step = sync.cursor;
    this.legend.show(content, chartTheme(this.plot).series, step);
    const axis = this.axisRange;
    cursor.hidden = step === null || !axis;
    if (step === null || !axis) return;
    const share = (step - axis[0]) / (axis[1] - axis[0]);
    cursor.hidden = share < 0 || share > 1;
    cursor.style.left = `${MARGIN.l + share * (this.width - MARGIN.l - MARGIN.r)}px`;
  }

  /** The steps at the ends of the axis, once it is drawn. */
  private get axisRange(): number[] | undefined {
    return (this.plot as { _fullLayout?: { xaxis?: { range?: number[] } } })._fullLayout?.xaxis?.range;
  }

  private async savePicture(): Promise<void> {
    const { content, plotly } = this;
    if (!content || !plotly) return;
    const look = { ...this.look(content), signs: true };
    const { data, layout } = figure(content, look);
    const { background, text } = look.theme;
    const opaque = {
      ...layout,
      paper_bgcolor: background,
      plot_bgcolor: background,
      margin: { ...MARGIN, t: 40 },
      title: { text: this.title, font: { size: 13, color: text } },
      showlegend: content.lines.length > 1,
    };
    const size = { width: Math.max(640, this.width), height: this.height() + 40 };
    const picture = await plotly.toImage(
      { data, layout: { ...opaque, ...size } },
      { format: 'png', scale: 2, ...size },
    );
    download(`${this.title.replace(/\W+/g, '-').toLowerCase()}.png`, await (await fetch(picture)).blob());
  }

  private toggleFullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.node.requestFullscreen();
  }

  /** Takes the width of a chart that is shown; one that is hidden keeps its last. */
  private onResize(width: number): void {
    if (width === 0 || width === this.wanted) return;
    this.wanted = width;
    this.redraw();
  }
}

/** Returns what a chart shows, in words: the first and the last value of each line. */
function describeChart(title: string, { lines }: ChartContent): string {
  const ends = lines.flatMap(({ name, x, y }) => {
    const first = y.findIndex((value) => value !== null);
    const last = y.findLastIndex((value) => value !== null);
    if (first < 0) return [];
    const tell = (i: number) => `${y[i]!.toPrecision(3)} at step ${x[i]}`;
    return [`${name} ${tell(first)}, ${tell(last)}`];
  });
  return `Chart: ${title}. ${ends.join('; ')}`;
}
