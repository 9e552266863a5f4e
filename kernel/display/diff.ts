import { escapeHtml } from './table';

/** A line of a change. */
export interface DiffLine {
  kind: 'kept' | 'removed' | 'added';
  text: string;
}

const MARKS = { kept: '  ', removed: '- ', added: '+ ' } as const;

/** A change as text, each line with its mark. */
export function diffText(lines: readonly DiffLine[]): string {
  return lines.map(({ kind, text }) => (MARKS[kind] + text).trimEnd()).join('\n');
}

/** A change as HTML. It names no colour: what was removed is struck, what was added is underlined, and both have their marks. */
export function diffHtml(lines: readonly DiffLine[]): string {
  const tags = { kept: null, removed: 'del', added: 'ins' } as const;
  const line = ({ kind, text }: DiffLine) => {
    const tag = tags[kind];
    return MARKS[kind] + (tag ? `<${tag}>${escapeHtml(text)}</${tag}>` : escapeHtml(text));
  };
  return `<pre style="margin:0.2em 0 0.8em">${lines.map(line).join('\n')}</pre>`;
}
