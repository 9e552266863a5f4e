/*
 * A template as tokens. As transformers has it, the newline after a block and
 * the indentation before one are left out (trim_blocks, lstrip_blocks).
 */
import { TemplateError } from '../errors';
import { isSpace, SPACE, trimEnd } from '../filters/unicode';

export type TokenKind =
  | 'data'
  | 'blockBegin'
  | 'blockEnd'
  | 'printBegin'
  | 'printEnd'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'operator'
  | 'end';

export interface Token {
  kind: TokenKind;
  text: string;
  line: number;
}

/** Largest number of characters of a template: the longest published ones have some ten thousand. */
const LONGEST = 1_000_000;

const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{N}_][\p{L}\p{N}\p{M}\p{Pc}_]*/uy;
const STRING = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y;
const WHITESPACE = new RegExp(`[${SPACE}]+`, 'y');
const RAW = new RegExp(`\\{%[-+]?[${SPACE}]*raw[${SPACE}]*(?:-%\\}[${SPACE}]*|%\\})`, 'y');
const END_RAW = new RegExp(`(\\{%([-+]?)[${SPACE}]*endraw[${SPACE}]*)(?:\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?)`, 'g');
const END_COMMENT = new RegExp(`\\+#\\}|-#\\}[${SPACE}]*|#\\}\\n?`, 'g');
const END_BLOCK = new RegExp(`\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?`, 'y');
const END_PRINT = new RegExp(`-\\}\\}[${SPACE}]*|\\}\\}`, 'y');
const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

export function tokens(template: string): Token[] {
  if (template.length > LONGEST)
    throw new TemplateError(`the template has ${template.length} characters; at most ${LONGEST} are possible`);
  return new Lexer(template.replace(/\r\n?/g, '\n').replace(/\n$/, '')).run();
}

class Lexer {
  private readonly found: Token[] = [];
  private at = 0;
  private line = 1;
  /** The offset at which {@link line} was counted. */
  private counted = 0;
  private lineStarts = true;

  constructor(private readonly source: string) {}

  run(): Token[] {
    while (this.at < this.source.length) this.data();
    this.add('end', '');
    return this.found;
  }

  /** Reads text up to the next tag, and the tag. */
  private data(): void {
    const { source, at } = this;
    let start = at - 1;
    do start = source.indexOf('{', start + 1);
    while (start >= 0 && !'{%#'.includes(source[start + 1] ?? ' '));
    if (start < 0) {
      this.add('data', source.slice(at));
      this.at = source.length;
      return;
    }
    const kind = source[start + 1];
    const sign = '-+'.includes(source[start + 2] ?? ' ') ? source[start + 2] : '';
    this.add('data', this.before(source.slice(at, start), sign, kind !== '{'));
    this.at = start;
    const raw = kind === '%' && this.match(RAW);
    if (raw) this.raw(raw);
    else if (kind === '#') this.comment(start + 2 + sign.length);
    else this.tag(kind === '%', start + 2 + sign.length);
  }

  /** Returns the text before a tag, without the whitespace that the tag strips. */
  private before(text: string, sign: string, isBlock: boolean): string {
    if (sign === '-') return trimEnd(text);
    if (sign === '+' || !isBlock) return text;
    const lineStart = text.lastIndexOf('\n') + 1;
    if (lineStart === 0 && !this.lineStarts) return text;
    for (let i = lineStart; i < text.length; i++) if (!isSpace(text[i])) return text;
    return text.slice(0, lineStart);
  }

  private raw(begin: string): void {
    const from = this.at + begin.length;
    this.lineStarts = begin.endsWith('\n');
    END_RAW.lastIndex = from;
    const end = END_RAW.exec(this.source);
    if (!end) throw this.error('Missing end of raw directive');
    this.add('data', this.before(this.source.slice(from, end.index), end[2], true));
    this.goOn(END_RAW.lastIndex);
  }

  private comment(from: number): void {
    END_COMMENT.lastIndex = from;
    if (!END_COMMENT.exec(this.source)) throw this.error('Missing end of comment tag');
    this.goOn(END_COMMENT.lastIndex);
  }

  private goOn(at: number): void {
    this.at = at;
    this.lineStarts = this.source[at - 1] === '\n';
  }

  private tag(isBlock: boolean, from: number): void {
    const open: string[] = [];
    this.add(isBlock ? 'blockBegin' : 'printBegin', '');
    this.at = from;
    for (;;) {
      if (this.at >= this.source.length)
        throw this.error(`unexpected end of template, expected '${isBlock ? '%}' : '}}'}'`);
      const end = open.length === 0 && this.match(isBlock ? END_BLOCK : END_PRINT);
      if (end) {
        this.add(isBlock ? 'blockEnd' : 'printEnd', '');
        this.goOn(this.at + end.length);
        return;
      }
      this.expressionToken(open);
    }
  }

  private expressionToken(open: string[]): void {
    const space = this.match(WHITESPACE);
    if (space) {
      this.at += space.length;
      return;
    }
    const followsDot = this.source[this.at - 1] === '.';
    for (const [kind, pattern] of [
      ['float', FLOAT],
      ['integer', INTEGER],
      ['name', NAME],
      ['string', STRING],
      ['operator', OPERATOR],
    ] as const) {
      const text = kind === 'float' && followsDot ? undefined : this.match(pattern);
      if (!text) continue;
      if (kind === 'operator') this.balance(text, open);
      this.add(
        kind,
        kind === 'string' ? this.unescaped(text.slice(1, -1)) : kind === 'name' ? this.identifier(text) : text,
      );
      this.at += text.length;
      return;
    }
    throw this.error(`unexpected char ${JSON.stringify(String.fromCodePoint(this.source.codePointAt(this.at)!))}`);
  }

  private balance(operator: string, open: string[]): void {
    if (CLOSING[operator]) open.push(CLOSING[operator]);
    else if (')]}'.includes(operator)) {
      const expected = open.pop();
      if (expected !== operator)
        throw this.error(expected ? `unexpected '${operator}', expected '${expected}'` : `unexpected '${operator}'`);
    }
  }

  private identifier(text: string): string {
    if (!/^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(text)) throw this.error(`Invalid character in identifier ${text}`);
    return text;
  }

  /** Returns a text with its escapes replaced, as in Python. */
  private unescaped(text: string): string {
    return text.replace(
      /\\(\n|[0-7]{1,3}|x[\s\S]{0,2}|u[\s\S]{0,4}|U[\s\S]{0,8}|N|[\s\S])/g,
      (whole, escape: string) => {
        if (escape === '\n') return '';
        if (SIMPLE[escape] !== undefined) return SIMPLE[escape];
        if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8));
        if (escape === 'N') throw this.error('names of characters (\\N{…}) are not possible here');
        if (!/^[xuU]/.test(escape)) return whole;
        const digits = escape.slice(1);
        const code =
          /^(?:[\da-fA-F]{2}|[\da-fA-F]{4}|[\da-fA-F]{8})$/.test(digits) &&
          digits.length === { x: 2, u: 4, U: 8 }[escape[0]]
            ? parseInt(digits, 16)
            : NaN;
        if (!(code <= 0x10ffff)) throw this.error(`truncated or illegal escape \\${escape}`);
        if (code >= 0xd800 && code <= 0xdfff) throw this.error(`half a character cannot be printed: \\${escape}`);
        return String.fromCodePoint(code);
      },
    );
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.source)?.[0];
  }

  private add(kind: TokenKind, text: string): void {
    if (kind === 'data' && text === '') return;
    for (; this.counted < this.at; this.counted++) if (this.source.charCodeAt(this.counted) === 10) this.line++;
    this.found.push({ kind, text, line: this.line });
  }

  private error(message: string): TemplateError {
    this.add('end', '');
    return new TemplateError(message).at(this.line);
  }
}

const SIMPLE: Record<string, string> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
