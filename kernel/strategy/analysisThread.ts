/** The thread that parses and compiles sources: see `analysis.ts`. */
import { serveRequests } from '../common/threads/boundedThread';
import type { Analysis } from './analysis';
import type { CodeProblem } from './check';
import { compile, parserProblem, typescript, type SyntaxProblem } from './compile';
import { constructsOf, type Constructs } from './constructs';

/** Problems, and characters of one, that are returned at most. */
const MOST_PROBLEMS = 1000;
const LONGEST_REASON = 1000;

function analyse(code: string): Analysis {
  const { program, problems } = compile(code);
  return {
    program,
    problems: problems.slice(0, 1).map(shortened),
    found: found(code, problems).slice(0, MOST_PROBLEMS).map(shortened),
  };
}

/** Returns all problems, in the order of the text. */
function found(code: string, problems: SyntaxProblem[]): CodeProblem[] {
  const syntax = [...problems];
  let { forbidden, declaresStrategy }: Constructs = { forbidden: [], declaresStrategy: true };
  try {
    ({ forbidden, declaresStrategy } = constructsOf(code));
  } catch (error) {
    if (syntax.length === 0) syntax.push(parserProblem(error));
  }
  if (syntax.length === 0 && !declaresStrategy)
    syntax.push({ line: 1, column: 1, reason: 'no function named "strategy"' });
  // A module or an `await` is refused as a script, too: one place, one problem.
  const places = new Set(forbidden.map(({ line }) => line));
  const all: CodeProblem[] = [
    ...forbidden.map((problem) => ({ kind: 'forbidden' as const, ...problem })),
    ...syntax.filter(({ line }) => !places.has(line)).map((problem) => ({ kind: 'syntax' as const, ...problem })),
  ];
  return all.sort((a, b) => a.line - b.line || a.column - b.column);
}

function shortened<Problem extends SyntaxProblem>(problem: Problem): Problem {
  const { reason } = problem;
  return reason.length > LONGEST_REASON ? { ...problem, reason: `${reason.slice(0, LONGEST_REASON - 1)}…` } : problem;
}

typescript(); // Before the first request, whose time is limited.
serveRequests(analyse);
