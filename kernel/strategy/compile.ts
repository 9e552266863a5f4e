import { SourceMap } from 'node:module';
import * as vm from 'node:vm';
import type * as TypeScript from 'typescript';
import type { Program } from './outcome';

let loaded: typeof TypeScript | undefined;

/** Returns the TypeScript compiler, loaded at the first call: that takes a quarter of a second. */
export function typescript(): typeof TypeScript {
  return (loaded ??= require('typescript') as typeof TypeScript);
}

/** A problem at a line and column of the source, counted from 1. */
export interface SyntaxProblem {
  line: number;
  column: number;
  reason: string;
}

/** Throws a TypeError when the argument of `caller` is not a source. */
export function checkSource(caller: string, code: unknown): void {
  if (typeof code === 'string') return;
  const hint = code === null ? ' extractFunction gives null where a completion holds no whole function.' : '';
  throw new TypeError(
    `${caller}: the source of a strategy is a string, not ${code === null ? 'null' : typeof code}.${hint}`,
  );
}

/** Longest source that is parsed, in characters. */
const MAX_CODE_LENGTH = 100_000;

/** Returns the problem of a source that is too long to be parsed; `undefined` otherwise. */
export function lengthProblem({ length }: string): SyntaxProblem | undefined {
  return length > MAX_CODE_LENGTH
    ? { line: 1, column: 1, reason: `the code has ${length} characters, more than ${MAX_CODE_LENGTH}` }
    : undefined;
}

/** The result of compiling a source. */
export interface Compiled {
  program: Program;
  problems: SyntaxProblem[];
}

/**
 * Returns a strategy as JavaScript, without running it. Text that is JavaScript
 * already is unchanged; TypeScript's types are removed.
 *
 * #### Notes
 * Parsers have no limits: what a model wrote is given to `analyse`, which calls this
 * in a thread that has.
 */
export function compile(code: string): Compiled {
  const unchanged = { javascript: code };
  const asIs = javascriptProblem(code);
  if (!asIs) return { program: unchanged, problems: [] };
  try {
    return removeTypes(code, asIs);
  } catch (error) {
    return { program: unchanged, problems: [parserProblem(error)] };
  }
}

/** Returns the problem of a source on which a parser fails with an exception. */
export function parserProblem(error: unknown): SyntaxProblem {
  const reason =
    error instanceof RangeError
      ? 'the code is nested too deeply'
      : `the parser fails: ${error instanceof Error ? error.message : error}`;
  return { line: 1, column: 1, reason };
}

function removeTypes(code: string, asIs: SyntaxProblem): Compiled {
  const ts = typescript();
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(code, {
    fileName: 'strategy.ts',
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      sourceMap: true,
    },
  });
  const syntax = (diagnostics ?? []).map((diagnostic) => {
    const at = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
    const reason = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ');
    return { line: (at?.line ?? 0) + 1, column: (at?.character ?? 0) + 1, reason };
  });
  if (syntax.length > 0) return { program: { javascript: code }, problems: syntax };

  const javascript = outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  const lines = sourceLines(javascript, sourceMapText!);
  // What TypeScript's parser lets pass and a JavaScript engine does not: `let a; let a;`, `break` outside a loop.
  const left = javascriptProblem(javascript);
  if (!left) return { program: { javascript, lines }, problems: [] };
  const problem = left.reason === asIs.reason ? asIs : { ...left, line: lines[left.line] ?? 1, column: 1 };
  return { program: { javascript, lines }, problems: [problem] };
}

/** Returns for each line of the JavaScript the source line that it comes from. */
function sourceLines(javascript: string, sourceMapText: string): number[] {
  const map = new SourceMap(JSON.parse(sourceMapText));
  const lines = [0];
  for (const [index, text] of javascript.split('\n').entries()) {
    const entry = map.findEntry(index, Math.max(0, text.search(/\S/)));
    lines.push('originalLine' in entry ? entry.originalLine + 1 : lines[index]);
  }
  return lines;
}

/** Returns why the JavaScript engine refuses a text as a script; `undefined` where it accepts it. */
function javascriptProblem(code: string): SyntaxProblem | undefined {
  try {
    new vm.Script(code, { filename: 'strategy' });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof RangeError) return parserProblem(error);
    const [where, , marker] = String(error.stack).split('\n');
    const line = /^strategy:(\d+)$/.exec(where);
    return {
      line: line ? Number(line[1]) : 1,
      column: Math.max(0, marker?.indexOf('^') ?? 0) + 1,
      reason: error.message,
    };
  }
}
