import type * as ts from 'typescript';
import { isNear } from '../../../common/names';
import { checkStatements, resolvingPath, scopeAround, setScopeAround, withOnly } from '../../patches/typescript';
import { guestFile } from '../program/guest';
import { typescript } from '../typescript';

/** TypeScript's code for "No overload matches this call", below which it lists what is wrong with each. */
const NO_OVERLOAD = 2769;
/** A call with other numbers of arguments. */
const ARITY = new Set([2554, 2555, 2556, 2575, 2743]);
/** A value of the wrong type. */
const WRONG_TYPE = new Set([2322, 2345]);
/** Overloads that are tried at most. */
const MAXIMUM = 30;
/** Overloads in one message at most. */
const MAXIMUM_ALIKE = 3;

/** A problem in words for the user. */
interface Worded {
  code: number;
  message: string;
}

/** A call, by `new` or without it. */
type Call = ts.CallExpression | ts.NewExpression;

/** The problems of a call if one of its overloads is the only one. */
interface Trial {
  problems: ts.Diagnostic[];
  /** Measures of how well it fits, the most important first; see {@link fit}. */
  fit: number[];
  index: number;
}

/**
 * For the error of a call that no overload fits: the errors of the overload
 * that was meant, each at its place. `null` where that is not known.
 *
 * @param read called with each of them while the program believes that there is no other overload
 *
 * #### Notes
 * The call is checked again, in a copy of the file, once for each overload,
 * while the type of the function holds that one alone.
 */
export function meantOverload<T extends Worded>(
  program: ts.Program,
  diagnostic: ts.Diagnostic,
  read: (problem: ts.Diagnostic) => T,
): T[] | null {
  const { file, start, length, code } = diagnostic;
  if (code !== NO_OVERLOAD || !file || start === undefined || length === undefined) return null;
  for (const call of callsAround(file, start, start + length)) {
    const overloads = overloadsOf(program.getTypeChecker(), call);
    if (overloads.length < 2 || overloads.length > MAXIMUM) continue;
    const found = new OverloadedCall(program, call, overloads).meant(read);
    if (found) return found;
  }
  return null;
}

class OverloadedCall {
  private readonly all: readonly ts.Signature[];

  constructor(
    private readonly program: ts.Program,
    private readonly call: Call,
    /** The array in which the checker keeps them. */
    private readonly overloads: ts.Signature[],
  ) {
    this.all = [...overloads];
  }

  /** `null` where an overload fits: it is not this call that is wrong. */
  meant<T extends Worded>(read: (problem: ts.Diagnostic) => T): T[] | null {
    const trials = this.all.map((overload, index) =>
      this.alone(overload, (check) => this.trial(overload, index, check())),
    );
    if (trials.some(({ problems }) => problems.length === 0)) return null;
    const [best, ...others] = trials.sort(better);
    const worded = ({ index }: Trial): T[] => this.alone(this.all[index], (check) => check().map(read));
    const alike = [best, ...others.filter(({ fit }) => fit.every((value, i) => value === best.fit[i]))]
      .reverse()
      .map(worded);
    const [first] = alike;
    const messages = [...new Set(alike.map(([{ message }]) => message))];
    // A value that is of none of the types: each is named, since any may be meant.
    if (
      messages.length === 1 ||
      messages.length > MAXIMUM_ALIKE ||
      alike.some((it) => it.length > 1 || !WRONG_TYPE.has(it[0].code))
    )
      return alike.at(-1)!;
    return [{ ...first[0], code: NO_OVERLOAD, message: ['No overload matches this call.', ...messages].join('\n  ') }];
  }

  /** Runs `work` while the function has one overload only. */
  private alone<T>(overload: ts.Signature, work: (check: () => ts.Diagnostic[]) => T): T {
    return withOnly(this.overloads, overload, () => work(() => this.check()));
  }

  /** Returns what is wrong with the call itself, in a copy of its file. */
  private check(): ts.Diagnostic[] {
    const file = this.call.getSourceFile();
    // Imports are resolved by the path.
    const copy = guestFile(this.program, `${file.fileName}.${++copies}.ts`, file.text, resolvingPath(file));
    setScopeAround(copy, scopeAround(file));
    const statement =
      copy.statements[file.statements.findIndex(({ pos, end }) => pos <= this.call.pos && this.call.end <= end)];
    const { pos, end } = this.call;
    return checkStatements(this.program.getTypeChecker(), copy, statement && [statement]).filter(
      ({ start = -1 }) => pos <= start && start < end,
    );
  }

  private trial(overload: ts.Signature, index: number, problems: ts.Diagnostic[]): Trial {
    return { problems, index, fit: problems.length > 0 ? this.fit(overload, problems) : [] };
  }

  /** Numbers that say how near an overload comes to the call; larger is nearer. */
  private fit(overload: ts.Signature, problems: ts.Diagnostic[]): number[] {
    const args = this.call.arguments ?? [];
    const checker = this.program.getTypeChecker();
    const types = overload.parameters.map((it) => checker.getTypeOfSymbolAtLocation(it, this.call));
    const literals = args.map((arg, i) =>
      typescript().isStringLiteralLike(arg) && types[i]?.isStringLiteral() ? [arg.text, types[i].value] : null,
    );
    const at = Math.min(
      ...problems.map(({ start = 0 }) => args.findIndex((arg) => arg.pos <= start && start < arg.end)),
    );
    const failed = literals[at];
    const isTypo = failed !== null && failed !== undefined && isNear(failed[0], failed[1]);
    return [
      problems.some(({ code }) => ARITY.has(code)) ? 0 : 1,
      isTypo ? 1 : 0,
      literals.filter((it) => it && it[0] === it[1]).length,
      at,
      // An error inside of an argument: the argument as a whole is of the right kind.
      problems.some(({ start }) => start === args[at]?.getStart()) ? 0 : 1,
      -problems.length,
    ];
  }
}

let copies = 0;

/** Of those that fit alike, the last, as TypeScript does. */
function better(a: Trial, b: Trial): number {
  const i = a.fit.findIndex((value, i) => value !== b.fit[i]);
  return i < 0 ? b.index - a.index : b.fit[i] - a.fit[i];
}

/** The calls around a place, the innermost first. */
function callsAround(file: ts.SourceFile, start: number, end: number): Call[] {
  const compiler = typescript();
  const found: Call[] = [];
  const search = (node: ts.Node): void => {
    if (node.pos > start || node.end < end) return;
    if (compiler.isCallExpression(node) || compiler.isNewExpression(node)) found.unshift(node);
    compiler.forEachChild(node, search);
  };
  search(file);
  return found;
}

/** The overloads of what is called, in the array in which the checker keeps them. */
function overloadsOf(checker: ts.TypeChecker, call: Call): ts.Signature[] {
  const compiler = typescript();
  const type = checker.getApparentType(checker.getTypeAtLocation(call.expression));
  const kind = compiler.isNewExpression(call) ? compiler.SignatureKind.Construct : compiler.SignatureKind.Call;
  return checker.getSignaturesOfType(type, kind) as ts.Signature[];
}
