/* The expressions of a template. */
import { MAXIMUM_NESTING } from '../../../common/nesting';
import type { CallArguments, Expression, Target } from './ast';
import { TemplateError } from '../errors';
import { FILTERS, TESTS } from '../names';
import type { Token, TokenKind } from './lexer';

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** Levels of operators; later ones bind tighter. */
const LEVELS: readonly (readonly string[])[] = [['+', '-'], ['~'], ['*', '/', '//', '%'], ['**']];
const CONSTANTS = new Map<string, boolean | null>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

/** Parses expressions from tokens, from the current one on. */
export class ExpressionParser {
  protected at = 0;
  private depth = 0;
  /** Errors of unknown filters and tests. Within branches that may not be taken they are errors only when they are evaluated. */
  protected unknown: TemplateError[] = [];

  constructor(protected readonly tokens: readonly Token[]) {}

  protected get current(): Token {
    return this.tokens[this.at];
  }

  protected get line(): number {
    return this.current.line;
  }

  protected is(kind: TokenKind, text?: string, ahead = 0): boolean {
    const token = this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)];
    return token.kind === kind && (text === undefined || token.text === text);
  }

  protected take(kind: TokenKind, text?: string): boolean {
    if (!this.is(kind, text)) return false;
    this.at++;
    return true;
  }

  protected expect(kind: TokenKind, text?: string): Token {
    const token = this.current;
    if (!this.take(kind, text))
      throw this.error(`expected ${text ? `'${text}'` : (NAMES[kind] ?? kind)}, got ${this.described()}`);
    return token;
  }

  protected described(): string {
    return NAMES[this.current.kind] ?? `'${this.current.text}'`;
  }

  protected error(message: string): TemplateError {
    return new TemplateError(message).at(this.line);
  }

  /** Parses a nested part. Throws when it is nested too deeply. */
  protected deeper<T>(parse: () => T): T {
    if (++this.depth > MAXIMUM_NESTING)
      throw this.error(`the template is nested more than ${MAXIMUM_NESTING} levels deep`);
    const result = parse();
    this.depth--;
    return result;
  }

  /** Parses an expression, or a tuple of several, separated by commas. */
  protected tuple({ condition = true, end = '', parentheses = false } = {}): Expression {
    const { line } = this;
    const items: Expression[] = [];
    let isTuple = false;
    while (!this.endsTuple(end)) {
      items.push(this.expression(condition));
      if (!this.take('operator', ',')) break;
      isTuple = true;
    }
    if (!isTuple && items.length > 0) return items[0];
    if (!isTuple && !parentheses) throw this.error(`expected an expression, got ${this.described()}`);
    return { kind: 'tuple', items, line };
  }

  protected endsTuple(end: string): boolean {
    return (
      this.is('printEnd') || this.is('blockEnd') || this.is('operator', ')') || (end !== '' && this.is('name', end))
    );
  }

  protected expression(condition = true): Expression {
    return this.deeper(() => {
      const known = this.unknown.length;
      let value = this.or();
      while (condition && this.is('name', 'if')) {
        const { line } = this;
        this.at++;
        const test = this.or();
        const otherwise = this.take('name', 'else') ? this.expression() : undefined;
        this.unknown.length = known;
        value = { kind: 'condition', test, then: value, otherwise, line };
      }
      return value;
    });
  }

  private or(): Expression {
    let left = this.and();
    while (this.is('name', 'or')) {
      const { line } = this;
      this.at++;
      left = { kind: 'or', left, right: this.and(), line };
    }
    return left;
  }

  private and(): Expression {
    let left = this.not();
    while (this.is('name', 'and')) {
      const { line } = this;
      this.at++;
      left = { kind: 'and', left, right: this.not(), line };
    }
    return left;
  }

  private not(): Expression {
    const { line } = this;
    if (this.take('name', 'not')) return { kind: 'not', value: this.deeper(() => this.not()), line };
    return this.compare();
  }

  private compare(): Expression {
    const { line } = this;
    const first = this.binary(0);
    const rest: [string, Expression][] = [];
    for (;;) {
      const operator = this.comparison();
      if (!operator) return rest.length > 0 ? { kind: 'compare', first, rest, line } : first;
      rest.push([operator, this.binary(0)]);
    }
  }

  private comparison(): string | undefined {
    if (this.current.kind === 'operator' && COMPARISONS.has(this.current.text)) return this.tokens[this.at++].text;
    if (this.take('name', 'in')) return 'in';
    if (!this.is('name', 'not') || !this.is('name', 'in', 1)) return undefined;
    this.at += 2;
    return 'notin';
  }

  private binary(level: number): Expression {
    if (level === LEVELS.length) return this.unary(true);
    const { line } = this;
    let left = this.binary(level + 1);
    const joined: Expression[] = [left];
    while (this.current.kind === 'operator' && LEVELS[level].includes(this.current.text)) {
      const operator = this.tokens[this.at++].text;
      const right = this.binary(level + 1);
      if (operator === '~') joined.push(right);
      else left = { kind: 'binary', operator, left, right, line };
    }
    return joined.length > 1 ? { kind: 'concat', items: joined, line } : left;
  }

  private unary(withFilter: boolean): Expression {
    const { line } = this;
    const sign = this.is('operator', '-') ? '-' : this.is('operator', '+') ? '+' : undefined;
    if (sign) this.at++;
    const value = this.postfix(
      sign ? { kind: 'unary', operator: sign, value: this.deeper(() => this.unary(false)), line } : this.primary(),
    );
    return withFilter ? this.filtersAndTests(value) : value;
  }

  protected primary(): Expression {
    const token = this.current;
    const { line } = token;
    this.at++;
    switch (token.kind) {
      case 'name':
        return CONSTANTS.has(token.text)
          ? { kind: 'constant', value: CONSTANTS.get(token.text)!, line }
          : { kind: 'name', name: token.text, line };
      case 'string': {
        let value = token.text;
        while (this.is('string')) value += this.tokens[this.at++].text;
        return { kind: 'constant', value, line };
      }
      case 'integer':
        if (token.text.length > 4300) throw this.error('an integer has more than 4300 digits');
        return { kind: 'constant', value: BigInt(token.text.replaceAll('_', '').replace(/^0+(?=\d)/, '')), line };
      case 'float':
        return { kind: 'constant', value: Number(token.text.replaceAll('_', '')), line };
      case 'operator':
        if (token.text === '(') return this.closed(')', () => this.tuple({ parentheses: true }));
        if (token.text === '[') return { kind: 'list', items: this.items(']', () => this.expression()), line };
        if (token.text === '{') return { kind: 'dict', entries: this.items('}', () => this.entry()), line };
    }
    this.at--;
    throw this.error(`unexpected ${this.described()}`);
  }

  private closed<T>(end: string, parse: () => T): T {
    const result = parse();
    this.expect('operator', end);
    return result;
  }

  private items<T>(end: string, parse: () => T): T[] {
    const items: T[] = [];
    while (!this.take('operator', end)) {
      if (items.length > 0) {
        this.expect('operator', ',');
        if (this.take('operator', end)) break;
      }
      items.push(parse());
    }
    return items;
  }

  private entry(): [Expression, Expression] {
    const key = this.expression();
    this.expect('operator', ':');
    return [key, this.expression()];
  }

  private postfix(start: Expression): Expression {
    let value = start;
    for (let length = 0; ; length++) {
      if (length > MAXIMUM_NESTING) throw this.error('the template has too many attributes and calls in a row');
      const { line } = this;
      if (this.take('operator', '.')) value = this.member(value, line);
      else if (this.take('operator', '[')) value = { kind: 'item', value, key: this.subscript(), line };
      else if (this.is('operator', '(')) value = { kind: 'call', callee: value, given: this.callArguments(), line };
      else return value;
    }
  }

  private member(value: Expression, line: number): Expression {
    const token = this.current;
    this.at++;
    if (token.kind === 'name') return { kind: 'attribute', value, name: token.text, line };
    if (token.kind !== 'integer') throw this.error('expected name or number');
    return {
      kind: 'item',
      value,
      key: { kind: 'constant', value: BigInt(token.text.replaceAll('_', '')), line },
      line,
    };
  }

  private subscript(): Expression {
    const { line } = this;
    const parts = this.items(']', () => this.subscriptPart());
    return parts.length === 1 ? parts[0] : { kind: 'tuple', items: parts, line };
  }

  private subscriptPart(): Expression {
    const { line } = this;
    const start = this.is('operator', ':') ? undefined : this.expression();
    if (!this.take('operator', ':')) return start!;
    const bound = (): Expression | undefined =>
      this.is('operator', ':') || this.is('operator', ']') || this.is('operator', ',') ? undefined : this.expression();
    const stop = bound();
    const step = this.take('operator', ':') ? bound() : undefined;
    return { kind: 'slice', start, stop, step, line };
  }

  protected callArguments(): CallArguments {
    const given: CallArguments = { args: [], kwargs: [] };
    const ensure = (possible: boolean): void => {
      if (!possible) throw this.error('invalid syntax for function call expression');
    };
    this.expect('operator', '(');
    let first = true;
    while (!this.take('operator', ')')) {
      if (!first) this.expect('operator', ',');
      if (!first && this.take('operator', ')')) break;
      first = false;
      if (this.take('operator', '*')) {
        ensure(!given.rest && !given.restNamed);
        given.rest = this.expression();
      } else if (this.take('operator', '**')) {
        ensure(!given.restNamed);
        given.restNamed = this.expression();
      } else if (this.is('name') && this.is('operator', '=', 1)) {
        ensure(!given.restNamed);
        const name = this.tokens[this.at].text;
        this.at += 2;
        if (given.kwargs.some(([known]) => known === name)) throw this.error(`keyword argument repeated: ${name}`);
        given.kwargs.push([name, this.expression()]);
      } else {
        ensure(!given.rest && !given.restNamed && given.kwargs.length === 0);
        given.args.push(this.expression());
      }
    }
    return given;
  }

  private filtersAndTests(start: Expression): Expression {
    let value = start;
    for (let length = 0; ; length++) {
      if (length > MAXIMUM_NESTING) throw this.error('the template has too many filters in a row');
      const { line } = this;
      if (this.is('operator', '|')) value = this.filters(value)!;
      else if (this.take('name', 'is')) value = this.test(value, line);
      else if (this.is('operator', '(')) value = { kind: 'call', callee: value, given: this.callArguments(), line };
      else return value;
    }
  }

  /** Parses a row of filters, the first of which may stand without a bar. */
  protected filters(start: Expression | undefined, inline = false): Expression | undefined {
    let value = start;
    for (let length = 0; inline || this.take('operator', '|'); inline = false, length++) {
      if (length > MAXIMUM_NESTING) throw this.error('the template has too many filters in a row');
      const { line } = this;
      const name = this.dottedName();
      const given = this.is('operator', '(') ? this.callArguments() : { args: [], kwargs: [] };
      this.checkName('filter', FILTERS, name);
      value = { kind: 'filter', value, name, given, line };
    }
    return value;
  }

  private test(value: Expression, line: number): Expression {
    const negated = this.take('name', 'not');
    const name = this.dottedName();
    let given: CallArguments = { args: [], kwargs: [] };
    if (this.is('operator', '(')) given = this.callArguments();
    else if (this.startsArgument()) {
      if (this.is('name', 'is')) throw this.error('You cannot chain multiple tests with is');
      given.args.push(this.deeper(() => this.postfix(this.primary())));
    }
    this.checkName('test', TESTS, name);
    const test: Expression = { kind: 'test', value, name, given, line };
    return negated ? { kind: 'not', value: test, line } : test;
  }

  private startsArgument(): boolean {
    const { kind, text } = this.current;
    if (kind === 'name') return !['else', 'or', 'and'].includes(text);
    return (
      kind === 'string' ||
      kind === 'integer' ||
      kind === 'float' ||
      (kind === 'operator' && (text === '[' || text === '{'))
    );
  }

  private dottedName(): string {
    let name = this.expect('name').text;
    while (this.take('operator', '.')) name += `.${this.expect('name').text}`;
    return name;
  }

  private checkName(kind: string, known: ReadonlySet<string>, name: string): void {
    if (!known.has(name)) this.unknown.push(this.error(`No ${kind} named '${name}'.`));
  }

  /** Parses the target of an assignment: a name, several, or a member of a namespace. */
  protected target({ end = '', namespace = false } = {}): Target {
    const { line } = this;
    const items: Target[] = [];
    let isTuple = false;
    while (!this.endsTuple(end)) {
      items.push(this.oneTarget(namespace));
      if (!this.take('operator', ',')) break;
      isTuple = true;
    }
    if (items.length === 0) throw this.error(`expected a name, got ${this.described()}`);
    return isTuple ? { kind: 'tuple', items, line } : items[0];
  }

  private oneTarget(namespace: boolean): Target {
    const { line } = this;
    if (this.take('operator', '(')) return this.deeper(() => this.closed(')', () => this.target()));
    const name = this.expect('name').text;
    if (CONSTANTS.has(name)) throw this.error(`can't assign to '${name}'`);
    if (namespace && this.take('operator', '.'))
      return { kind: 'member', namespace: name, name: this.expect('name').text, line };
    return { kind: 'name', name, line };
  }
}

const NAMES: Partial<Record<TokenKind, string>> = {
  blockEnd: "end of statement block '%}'",
  printEnd: "end of print statement '}}'",
  end: 'end of template',
  data: 'text',
  name: 'a name',
  string: 'a text',
};
