/* The statements of a template. */
import type { Expression, Signature, Statement } from './ast';
import { ExpressionParser } from './expressions';
import { tokens } from './lexer';

export function parse(template: string): Statement[] {
  return new Parser(tokens(template)).template();
}

/** Tags of Jinja that chat templates cannot use, such as those for several files. */
const ELSEWHERE = new Set(['extends', 'include', 'import', 'from', 'block', 'autoescape']);

class Parser extends ExpressionParser {
  /** Number of open loops that `break` can leave; none at the beginning of a macro. */
  private loops = 0;

  template(): Statement[] {
    const body = this.statements([]);
    this.expect('end');
    if (this.unknown.length > 0) throw this.unknown[0];
    return body;
  }

  /** Parses statements up to one of the tags, which becomes the current token. */
  private statements(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    while (!this.is('end')) {
      const { line } = this;
      if (this.is('data')) body.push({ kind: 'text', text: this.tokens[this.at++].text, line });
      else if (this.take('printBegin')) {
        body.push({ kind: 'print', value: this.tuple(), line });
        this.expect('printEnd');
      } else {
        this.expect('blockBegin');
        if (this.is('name') && ends.includes(this.current.text)) return body;
        if (!this.is('name')) throw this.error(`tag name expected, got ${this.described()}`);
        body.push(...this.deeper(() => this.statement()));
        this.expect('blockEnd');
      }
    }
    if (ends.length > 0)
      throw this.error(`Unexpected end of template. It was looking for the following tags: ${ends.join(' or ')}.`);
    return body;
  }

  /** Parses the statements between the end of this tag and the end tag, and takes that. */
  private body(...ends: string[]): Statement[] {
    this.take('operator', ':');
    this.expect('blockEnd');
    const body = this.statements(ends);
    this.at++;
    return body;
  }

  private statement(): Statement[] {
    const { line } = this;
    const tag = this.tokens[this.at++].text;
    switch (tag) {
      case 'if':
        return [this.ifStatement(line)];
      case 'for':
        return [this.forStatement(line)];
      case 'set':
        return [this.setStatement(line)];
      case 'with':
        return [this.withStatement(line)];
      case 'macro':
        return [
          {
            kind: 'macro',
            name: this.expect('name').text,
            signature: this.signature(),
            body: this.apart(() => this.body('endmacro')),
            line,
          },
        ];
      case 'call':
        return [this.callBlock(line)];
      case 'filter':
        return [{ kind: 'filterBlock', filter: this.filters(undefined, true)!, body: this.body('endfilter'), line }];
      case 'generation':
        return [{ kind: 'generation', body: this.apart(() => this.body('endgeneration')), line }];
      case 'print':
        return this.printStatement(line);
      case 'break':
      case 'continue':
        if (this.loops === 0) throw this.error(`'${tag}' outside loop`);
        return [{ kind: tag, line }];
    }
    this.at--;
    throw this.error(
      ELSEWHERE.has(tag) ? `the tag ${tag} is not possible in chat templates` : `Encountered unknown tag '${tag}'.`,
    );
  }

  /** Parses a macro or call block: a loop around it cannot be left from there. */
  private apart<T>(parse: () => T): T {
    const { loops } = this;
    this.loops = 0;
    const result = parse();
    this.loops = loops;
    return result;
  }

  private ifStatement(line: number): Statement {
    const branches: { test: Expression; body: Statement[] }[] = [];
    let otherwise: Statement[] = [];
    const known = this.unknown.length;
    for (;;) {
      const test = this.tuple({ condition: false });
      this.take('operator', ':');
      this.expect('blockEnd');
      branches.push({ test, body: this.statements(['elif', 'else', 'endif']) });
      const tag = this.tokens[this.at++].text;
      if (tag === 'elif') continue;
      if (tag === 'else') otherwise = this.body('endif');
      break;
    }
    this.unknown.length = known;
    return { kind: 'if', branches, otherwise, line };
  }

  private forStatement(line: number): Statement {
    const target = this.target({ end: 'in' });
    this.expect('name', 'in');
    const items = this.tuple({ condition: false, end: 'recursive' });
    const test = this.take('name', 'if') ? this.expression() : undefined;
    const recursive = this.take('name', 'recursive');
    this.take('operator', ':');
    this.expect('blockEnd');
    this.loops++;
    const body = this.statements(['endfor', 'else']);
    this.loops--;
    const otherwise = this.tokens[this.at++].text === 'else' ? this.body('endfor') : [];
    return { kind: 'for', target, items, test, recursive, body, otherwise, line };
  }

  private setStatement(line: number): Statement {
    const target = this.target({ namespace: true });
    if (this.take('operator', '=')) return { kind: 'set', target, value: this.tuple(), line };
    const filter = this.filters(undefined);
    return { kind: 'setBlock', target, filter, body: this.body('endset'), line };
  }

  private withStatement(line: number): Statement {
    const [targets, values]: [Extract<Statement, { kind: 'with' }>['targets'], Expression[]] = [[], []];
    while (!this.is('blockEnd')) {
      if (targets.length > 0) this.expect('operator', ',');
      targets.push(this.target());
      this.expect('operator', '=');
      values.push(this.expression());
    }
    return { kind: 'with', targets, values, body: this.body('endwith'), line };
  }

  private signature(): Signature {
    const signature: Signature = { parameters: [], defaults: [] };
    this.expect('operator', '(');
    while (!this.is('operator', ')')) {
      if (signature.parameters.length > 0) this.expect('operator', ',');
      const name = this.expect('name').text;
      if (this.take('operator', '=')) signature.defaults.push(this.expression());
      else if (signature.defaults.length > 0) throw this.error('non-default argument follows default argument');
      signature.parameters.push(name);
    }
    this.expect('operator', ')');
    return signature;
  }

  private callBlock(line: number): Statement {
    const signature = this.is('operator', '(') ? this.signature() : { parameters: [], defaults: [] };
    const call = this.expression();
    if (call.kind !== 'call') throw this.error('expected call');
    return { kind: 'callBlock', call, signature, body: this.apart(() => this.body('endcall')), line };
  }

  private printStatement(line: number): Statement[] {
    const printed: Statement[] = [];
    while (!this.is('blockEnd')) {
      if (printed.length > 0) this.expect('operator', ',');
      printed.push({ kind: 'print', value: this.expression(), line });
    }
    return printed;
  }
}
