/** A column of a table that is shown as text and as HTML. */
export interface Column {
  title: string;
  /** Numbers are aligned to the right. */
  align?: 'left' | 'right';
}

/** A table as lines of text, columns separated by two spaces. */
export function textTable(columns: Column[], rows: string[][]): string {
  const widths = columns.map(({ title }, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, c) => (columns[c].align === 'left' ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join('\n');
}

/** A table as HTML. It names no colour, so that it reads well in light and dark themes. */
export function htmlTable(columns: Column[], rows: string[][]): string {
  const cell = (tag: string, text: string, c: number) =>
    `<${tag} style="text-align:${columns[c].align ?? 'right'};padding:0.1em 0.6em"${tag === 'th' ? ' scope="col"' : ''}>${escapeHtml(text)}</${tag}>`;
  // A column of labels has no heading: an empty one would be read out.
  const head = `<tr>${columns.map(({ title }, c) => cell(title ? 'th' : 'td', title, c)).join('')}</tr>`;
  const body = rows.map((row) => `<tr>${row.map((text, c) => cell('td', text, c)).join('')}</tr>`).join('\n');
  return `<table class="joylab-Records" style="border-collapse:collapse"><thead>${head}</thead><tbody>\n${body}\n</tbody></table>`;
}

/**
 * A place on the page that scrolls: the keyboard reaches it, and it has a
 * name. Sanitisers leave the class: by it the extension gives it both again.
 */
export function scrollBox(name: string, style: string, content: string): string {
  return `<div class="joylab-Scroll" tabindex="0" role="group" aria-label="${escapeHtml(name)}" style="${style};overflow:auto">${content}</div>`;
}

/** `text` as it may stand in HTML, attributes included. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** A number for people: with `digits` after the point, or, without `digits`, two, and none for whole numbers; an en dash where there is none. */
export function formatNumber(value: number | null | undefined, digits?: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (digits === undefined && Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const places = digits ?? 2;
  const small = value !== 0 && Math.abs(value) < 0.5 * 10 ** -places;
  return small || Math.abs(value) >= 1e6 ? value.toExponential(1) : value.toFixed(places);
}

/** A number of four digits at most: 12.5, 1669, −20.44. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4))).replace('-', '−');
}
