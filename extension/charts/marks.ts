import { element, setText } from '../widgets/element';
import { MARGIN } from './figure';
import { SIGNS, type ChartMark } from './content';

/** What was marked at a step. */
interface Place {
  step: number;
  marks: ChartMark[];
}

/**
 * The signs of a chart's marks, over its plot: each a button whose text shows under the
 * pointer and with the focus. The chart has one stop of the Tab key for all of them; the
 * arrow keys go from one to the next.
 */
export class MarkSigns {
  readonly node = element('div', 'joylab-Marks');
  private readonly text = element('div', 'joylab-Marks-text');
  private buttons: HTMLButtonElement[] = [];
  private places: Place[] = [];

  /** @param chosen called with the step of a mark that the user chooses */
  constructor(private readonly chosen: (step: number) => void) {
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', 'Marks of the chart');
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.text.setAttribute('aria-hidden', 'true');
    this.text.hidden = true;
    this.node.addEventListener('keydown', (event) => this.onKey(event));
  }

  /** @param range steps at the ends of the axis @param width of the chart, in pixels */
  show(marks: readonly ChartMark[], [from, to]: readonly number[], width: number): void {
    const places = placesOf(marks);
    if (JSON.stringify(places) !== JSON.stringify(this.places)) this.fill(places);
    this.places.forEach(({ step }, i) => {
      const share = (step - from) / (to - from);
      this.buttons[i].hidden = !(share >= 0 && share <= 1);
      this.buttons[i].style.left = `${MARGIN.l + share * (width - MARGIN.l - MARGIN.r)}px`;
    });
    this.node.hidden = places.length === 0;
  }

  private fill(places: Place[]): void {
    const focused = this.buttons.indexOf(document.activeElement as HTMLButtonElement);
    this.places = places;
    this.buttons = places.map((place, i) => this.sign(place, i));
    this.node.replaceChildren(...this.buttons, this.text);
    if (focused >= 0) this.buttons[Math.min(focused, this.buttons.length - 1)]?.focus();
  }

  private sign({ step, marks }: Place, i: number): HTMLButtonElement {
    // What happened last is what the sign shows; something wrong covers the rest.
    const kind = (marks.findLast(({ kind }) => kind === 'problem') ?? marks.at(-1)!).kind ?? 'other';
    const button = element('button', `joylab-Mark joylab-mod-${kind}`, SIGNS[kind]);
    const said = marks.map(({ text }) => text).join('\n');
    button.type = 'button';
    button.tabIndex = i === 0 ? 0 : -1;
    button.setAttribute('aria-label', `Step ${step}: ${said}`);
    const show = () => this.tell(button, `Step ${step}: ${said}`);
    const hide = () => {
      this.text.hidden = true;
    };
    for (const event of ['pointerenter', 'focus']) button.addEventListener(event, show);
    for (const event of ['pointerleave', 'blur']) button.addEventListener(event, hide);
    button.addEventListener('click', () => this.chosen(step));
    return button;
  }

  /** Shows a text below a sign, within the chart. */
  private tell(button: HTMLButtonElement, said: string): void {
    setText(this.text, said);
    this.text.hidden = false;
    const most = this.node.clientWidth - this.text.offsetWidth;
    this.text.style.left = `${Math.max(0, Math.min(most, button.offsetLeft - this.text.offsetWidth / 2))}px`;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      this.text.hidden = true;
      return;
    }
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const shown = this.buttons.filter(({ hidden }) => !hidden);
    const next = shown[shown.indexOf(document.activeElement as HTMLButtonElement) + by];
    if (!next) return;
    for (const button of this.buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }
}

function placesOf(marks: readonly ChartMark[]): Place[] {
  const places = new Map<number, ChartMark[]>();
  for (const mark of marks) places.set(mark.x, [...(places.get(mark.x) ?? []), mark]);
  return [...places].sort(([a], [b]) => a - b).map(([step, all]) => ({ step, marks: all }));
}
