/** A column of a table that is shown as text and as HTML. */
export interface Column {
  title: string;
  /** By default `right`, as for numbers. */
  align?: 'left' | 'right';
}

/** Returns a table as lines of text, columns separated by two spaces. */
export function textTable(columns: Column[], rows: string[][]): string {
  const widths = columns.map(({ title }, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, c) => (columns[c].align === 'left' ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join('\n');
}

/** Returns a table as HTML. It sets no colours, so that it is readable in light and dark themes. */
export function htmlTable(columns: Column[], rows: string[][]): string {
  const cell = (tag: string, text: string, c: number) =>
    `<${tag} style="text-align:${columns[c].align ?? 'right'};padding:0.1em 0.6em"${tag === 'th' ? ' scope="col"' : ''}>${escapeHtml(text)}</${tag}>`;
  // A column of labels has no heading: an empty one would be read out.
  const head = `<tr>${columns.map(({ title }, c) => cell(title ? 'th' : 'td', title, c)).join('')}</tr>`;
  const body = rows.map((row) => `<tr>${row.map((text, c) => cell('td', text, c)).join('')}</tr>`).join('\n');
  return `<table class="joylab-Records" style="border-collapse:collapse"><thead>${head}</thead><tbody>\n${body}\n</tbody></table>`;
}

/**
 * Returns HTML of a box that scrolls, with a name, and which the keyboard
 * reaches. Sanitisers remove both and leave the class, by which the extension
 * adds them again.
 */
export function scrollBox(name: string, style: string, content: string): string {
  return `<div class="joylab-Scroll" tabindex="0" role="group" aria-label="${escapeHtml(name)}" style="${style};overflow:auto">${content}</div>`;
}

/** Returns `text` with its special characters as entities, for HTML and its attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** Returns a number with `digits` after the point, by default two, or none for a whole number; an en dash when there is no number. */
export function formatNumber(value: number | null | undefined, digits?: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (digits === undefined && Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const places = digits ?? 2;
  const small = value !== 0 && Math.abs(value) < 0.5 * 10 ** -places;
  return small || Math.abs(value) >= 1e6 ? value.toExponential(1) : value.toFixed(places);
}

/** Returns a part of a whole as "78 %"; an en dash when there is no number. */
export function formatPercent(part: number): string {
  return Number.isFinite(part) ? `${Math.round(100 * part)} %` : '–';
}

/** Returns a number with four significant digits at most: 12.5, 1669, −20.44. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4))).replace('-', '−');
}
