import { escapeHtml } from '../table';

/** A line of a diff. */
export interface DiffLine {
  kind: 'kept' | 'removed' | 'added';
  text: string;
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
  return `<pre style="margin:0.2em 0 0.8em">${lines.map(line).join('\n')}</pre>`;
}
