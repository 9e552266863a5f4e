/* The parts of a template. */
import type { Value } from '../values';

export interface CallArguments {
  args: Expression[];
  kwargs: [string, Expression][];
  /** `*list` and `**dictionary`. */
  rest?: Expression;
  restNamed?: Expression;
}

export type Expression =
  | { kind: 'constant'; value: Value; line: number }
  | { kind: 'name'; name: string; line: number }
  | { kind: 'list' | 'tuple'; items: Expression[]; line: number }
  | { kind: 'dict'; entries: [Expression, Expression][]; line: number }
  | { kind: 'attribute'; value: Expression; name: string; line: number }
  | { kind: 'item'; value: Expression; key: Expression; line: number }
  | { kind: 'slice'; start?: Expression; stop?: Expression; step?: Expression; line: number }
  | { kind: 'call'; callee: Expression; given: CallArguments; line: number }
  /** Without a value in `{% filter … %}` and `{% set … %}` blocks. */
  | { kind: 'filter'; value?: Expression; name: string; given: CallArguments; line: number }
  | { kind: 'test'; value: Expression; name: string; given: CallArguments; line: number }
  | { kind: 'condition'; test: Expression; then: Expression; otherwise?: Expression; line: number }
  | { kind: 'and' | 'or'; left: Expression; right: Expression; line: number }
  | { kind: 'not'; value: Expression; line: number }
  | { kind: 'unary'; operator: '-' | '+'; value: Expression; line: number }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression; line: number }
  | { kind: 'compare'; first: Expression; rest: [string, Expression][]; line: number }
  | { kind: 'concat'; items: Expression[]; line: number };

export type Target =
  | { kind: 'name'; name: string; line: number }
  | { kind: 'tuple'; items: Target[]; line: number }
  | { kind: 'member'; namespace: string; name: string; line: number };

export interface Signature {
  parameters: string[];
  /** Defaults of the last parameters. */
  defaults: Expression[];
}

export type Statement =
  | { kind: 'text'; text: string; line: number }
  | { kind: 'print'; value: Expression; line: number }
  | { kind: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[]; line: number }
  | {
      kind: 'for';
      target: Target;
      items: Expression;
      test?: Expression;
      recursive: boolean;
      body: Statement[];
      otherwise: Statement[];
      line: number;
    }
  | { kind: 'set'; target: Target; value: Expression; line: number }
  | { kind: 'setBlock'; target: Target; filter?: Expression; body: Statement[]; line: number }
  | { kind: 'with'; targets: Target[]; values: Expression[]; body: Statement[]; line: number }
  | { kind: 'macro'; name: string; signature: Signature; body: Statement[]; line: number }
  | {
      kind: 'callBlock';
      call: Extract<Expression, { kind: 'call' }>;
      signature: Signature;
      body: Statement[];
      line: number;
    }
  | { kind: 'filterBlock'; filter: Expression; body: Statement[]; line: number }
  /** Text of the assistant. */
  | { kind: 'generation'; body: Statement[]; line: number }
  | { kind: 'break' | 'continue'; line: number };
