import { escapeHtml } from '../table';

/** A line of a diff. */
export interface DiffLine {
  kind: 'kept' | 'removed' | 'added';
  text: string;
}

/** Returns the smallest diff of two texts by lines: kept, removed and added ones. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [old, now] = [before, after].map((text) => (text === '' ? [] : text.split('\n')));
  // Lengths of the longest common subsequences of the rests from i and j on.
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--)
      common[i][j] = old[i] === now[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: 'kept', text: old[i++] });
      j++;
    } else if (i < old.length && (j === now.length || common[i + 1][j] >= common[i][j + 1]))
      lines.push({ kind: 'removed', text: old[i++] });
    else lines.push({ kind: 'added', text: now[j++] });
  }
  return lines;
}

const MARKS = { kept: '  ', removed: '- ', added: '+ ' } as const;

/** Returns a diff as text, each line with its mark. */
export function diffText(lines: readonly DiffLine[]): string {
  return lines.map(({ kind, text }) => (MARKS[kind] + text).trimEnd()).join('\n');
}

/** Tints that leave text readable in light and dark themes; the marks say the same without them. */
const TINTS = { removed: 'rgba(248,81,73,0.22)', added: 'rgba(46,160,67,0.22)' } as const;

/** Returns a diff as HTML. */
export function diffHtml(lines: readonly DiffLine[]): string {
  const marked = (tag: 'del' | 'ins', tint: string, text: string) =>
    `<${tag} style="text-decoration:none;background-color:${tint}">${escapeHtml(text)}</${tag}>`;
  const line = ({ kind, text }: DiffLine) => {
    if (kind === 'kept') return MARKS.kept + escapeHtml(text);
    return MARKS[kind] + marked(kind === 'removed' ? 'del' : 'ins', TINTS[kind], text);
  };
  // Jupyter's own style of `pre` breaks lines within words.
  return `<pre style="margin:0.2em 0 0.8em;font-family:var(--jp-code-font-family,monospace);white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere">${lines.map(line).join('\n')}</pre>`;
}
