import { randomBytes } from 'node:crypto';
import { analyseAsync } from '../analysis';
import { checkSource } from '../compile';
import { lockDown, StrategyError, type LockedDownFunction } from '../locked';
import type { Failure, Outcome } from '../outcome';
import { randomState } from '../secret';
import { resolveSettings } from '../../common/settings';
import { countedProgram } from './counted';
import { countingDeclaration, type CountOptions } from './settings';

export type { CountOptions } from './settings';

/** A call whose operations were counted. */
export interface CountedCall {
  /** What it returned, as JSON copies it; a typed array as an array of numbers. Undefined where it failed. */
  answer?: any;
  /** Its operations. `Infinity` where it failed: no cost is as bad as no answer. */
  operations: number;
  /** Why it failed. */
  failure?: Failure;
}

/**
 * Calls a strategy in its sandbox and counts the operations of each call: a cost that is
 * the same on every machine, however busy.
 *
 * - One operation is one operator, assignment, property or element access, call, branch,
 *   turn of a loop, or element of an array or object that is made. Names, constants and
 *   declarations of functions are free.
 * - A built-in function that goes over an array or a text (`map`, `slice`, `indexOf`,
 *   `join`, `JSON.stringify`, `new Float64Array` …) counts the longest of what it is
 *   given and what it returns; sorting counts n log2 n.
 * - With `fresh`, as by default, each call begins with a new start of the program, and
 *   what its top level does counts, too: nothing can be remembered from one call for the
 *   next. Without it the program keeps its variables, as it does in an episode.
 * - Code that is made from text (`eval`, `Function`) would not be counted: it throws.
 *
 * @param calls the arguments of each call
 * @throws TypeError when an argument is wrong
 * @throws StrategyError when the code has a syntax error, declares no function `strategy`,
 *   or its top level fails
 */
export async function countOperations(
  code: string,
  calls: readonly (readonly unknown[])[],
  options: CountOptions = {},
): Promise<CountedCall[]> {
  checkSource('countOperations', code);
  if (!Array.isArray(calls) || !calls.every(Array.isArray))
    throw new TypeError(
      'countOperations: calls is a list with a list of arguments for each call, as in [[1, 2], [3, 4]].',
    );
  const { seed, fresh, maxOperations, ...limits } = resolveSettings(countingDeclaration, options);
  // A parser has no limits: what passes here has been parsed within some.
  const problem = (await analyseAsync(code)).found.find(({ kind }) => kind === 'syntax');
  if (problem)
    throw new StrategyError({ reason: 'error', message: `SyntaxError: ${problem.reason}`, line: problem.line });
  // A name that the program cannot guess, so that it cannot change the count.
  const name = `count_${randomBytes(8).toString('hex')}`;
  const strategy = await lockDown(
    countedProgram(code, name, maxOperations),
    { ...limits, randomState: randomState(seed) },
    seed,
  );
  try {
    return calls.map((args, i) => {
      if (fresh && i > 0) strategy.restart();
      return counted(strategy, [...args]);
    });
  } finally {
    strategy.dispose();
  }
}

function counted(strategy: LockedDownFunction, args: unknown[]): CountedCall {
  const { outcome } = strategy.attempt(args);
  if (outcome.kind === 'failure') return { operations: Infinity, failure: outcome.failure };
  const { answer, operations } = valueOf(outcome);
  return answer === undefined ? { operations } : { answer, operations };
}

function valueOf(outcome: Outcome): { answer?: unknown; operations: number } {
  if (outcome.kind !== 'json') throw new Error(`A counted program answered with ${outcome.kind}.`);
  return outcome.value as { answer?: unknown; operations: number };
}
