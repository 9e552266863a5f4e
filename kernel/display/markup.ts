import type { MimeBundle } from './cellContext';
import { shownSvg } from './pictures/svgBundle';

/** A text that is displayed as its MIME type. */
export class Markup {
  constructor(
    readonly type: string,
    readonly text: string,
  ) {}

  toString(): string {
    return this.text;
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return shownSvg({ [this.type]: this.text, 'text/plain': this.text });
  }
}

/** A tag of template literals; also a function of a string. */
export interface MarkupTag {
  (strings: TemplateStringsArray, ...values: unknown[]): Markup;
  (text: string): Markup;
}

/** Markdown: md`**Mean return:** ${mean}` at the end of a cell, or `display(md(text))`. */
export const md = tag('text/markdown');

/** HTML: html`<b>${name}</b>`. Values are not escaped; arrays are joined, and `null`, `undefined` and `false` give nothing. */
export const html = tag('text/html');

/** SVG: svg`<svg …>…</svg>`. */
export const svg = tag('image/svg+xml');

function tag(type: string): MarkupTag {
  return (first: TemplateStringsArray | string, ...values: unknown[]) => {
    const text =
      typeof first === 'string' ? first : first.reduce((text, part, i) => text + textOf(values[i - 1]) + part);
    return new Markup(type, text);
  };
}

function textOf(value: unknown): string {
  if (value === null || value === undefined || value === false) return '';
  return Array.isArray(value) ? value.map(textOf).join('') : String(value);
}
