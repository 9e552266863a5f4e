import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { lineDiff } from '../../kernel/display/training/diff';
import { element } from '../widgets/element';

/** Colours TypeScript as cells are coloured; `null` where the front end offers no way. */
export type Highlighter = IEditorLanguageRegistry | null;

/** A program by lines, with those that decided marked: how often, and which one now. */
export class SourceView {
  readonly node = element('div', 'joylab-Source');
  private readonly rows: HTMLElement[] = [];
  private current: HTMLElement | null = null;

  constructor(code: string, highlighter: Highlighter) {
    describeScroll(this.node, 'Program');
    this.rows = code.split('\n').map((text, i) => row(String(i + 1), text));
    this.node.append(...this.rows);
    void colour(code, highlighter).then((lines) => lines.forEach((line, i) => put(this.rows[i], line)));
  }

  /** Shows how many steps each line decided. */
  showCounts(lines: readonly number[]): void {
    const counts = new Map<number, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    const most = Math.max(1, ...counts.values());
    this.rows.forEach((node, i) => {
      const count = counts.get(i + 1) ?? 0;
      const mark = node.querySelector<HTMLElement>('.joylab-Source-count')!;
      mark.textContent = count > 0 ? `${count}×` : '';
      mark.title = count > 0 ? `Decided ${count} of ${lines.length} steps` : '';
      node.style.setProperty('--joylab-heat', String(count / most));
      node.classList.toggle('joylab-mod-decided', count > 0);
    });
  }

  /** Marks the line that decides now; 0: none. */
  showCurrent(line: number): void {
    const next = this.rows[line - 1] ?? null;
    if (next === this.current) return;
    this.current?.classList.remove('joylab-mod-current');
    next?.classList.add('joylab-mod-current');
    this.current = next;
  }
}

const MARKS = { kept: '', removed: '−', added: '+' } as const;

/** Returns the diff of two programs by lines. */
export function diffView(before: string, after: string, highlighter: Highlighter, label: string): HTMLElement {
  const node = element('div', 'joylab-Source joylab-mod-diff');
  describeScroll(node, label);
  const lines = lineDiff(before, after);
  if (lines.every(({ kind }) => kind === 'kept')) node.append(element('p', 'joylab-Source-same', 'They are the same.'));
  const rows = lines.map(({ kind, text }) => {
    const made = row(MARKS[kind], text);
    made.classList.add(`joylab-mod-${kind}`);
    return made;
  });
  node.append(...rows);
  for (const [code, other] of [
    [before, 'added'],
    [after, 'removed'],
  ] as const)
    void colour(code, highlighter).then((coloured) => {
      const places = rows.filter((_, i) => lines[i].kind !== other);
      coloured.forEach((line, i) => places[i] && put(places[i], line));
    });
  return node;
}

function describeScroll(node: HTMLElement, label: string): void {
  node.tabIndex = 0;
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', label);
  node.dataset.lmSuppressShortcuts = 'true';
}

function row(mark: string, text: string): HTMLElement {
  return element('div', 'joylab-Source-line', [
    element('span', 'joylab-Source-mark', mark),
    element('span', 'joylab-Source-count'),
    element('code', 'joylab-Source-text', text || ' '),
  ]);
}

function put(target: HTMLElement, line: Node[]): void {
  if (line.length > 0) target.querySelector('.joylab-Source-text')!.replaceChildren(...line);
}

/** Returns the coloured lines of a source; none where it cannot be coloured. */
async function colour(code: string, highlighter: Highlighter): Promise<Node[][]> {
  const language = highlighter?.findByMIME('text/typescript') ?? highlighter?.findByName('typescript') ?? null;
  if (!highlighter || !language) return [];
  const whole = document.createElement('code');
  try {
    await highlighter.highlight(code, language, whole);
  } catch {
    return [];
  }
  const lines: Node[][] = [[]];
  for (const part of [...whole.childNodes]) {
    const texts = (part.textContent ?? '').split('\n');
    texts.forEach((text, i) => {
      if (i > 0) lines.push([]);
      if (text === '') return;
      const piece = part.cloneNode(false);
      if (piece instanceof Text) piece.data = text;
      else piece.textContent = text;
      lines.at(-1)!.push(piece);
    });
  }
  return lines;
}
