import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import { analyseAsync } from '../analysis';
import { checkSource } from '../compile';
import { StrategyError } from '../locked';
import { failed, SANDBOX_THREAD, type Failure } from '../outcome';
import { randomState } from '../secret';
import { markedText } from '../../common/exactJson';
import { checkNesting } from '../../common/nesting';
import { resolveSettings } from '../../common/settings';
import { BoundedThread, ThreadLimitError } from '../../common/threads/boundedThread';
import { countedProgram } from './counted';
import type { CountReply, CountRequest } from './countingThread';
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
  const argumentsTexts = checkedCalls(calls);
  const { seed, fresh, maxOperations, ...limits } = resolveSettings(countingDeclaration, options);
  // A parser has no limits: what passes here has been parsed within some.
  await analysed(code);
  const { program } = await analysed(countedProgram(code, NAME, maxOperations));
  const request = { program, argumentsTexts, fresh, limits: { ...limits, randomState: randomState(seed) } };
  const { opened, outcomes } = await played(request);
  if (opened) throw new StrategyError(opened);
  return outcomes.map((outcome): CountedCall => {
    if (outcome.kind === 'failure') return { operations: Infinity, failure: outcome.failure };
    if (outcome.kind !== 'json') throw new Error(`A counted program answered with ${outcome.kind}.`);
    return outcome.value as CountedCall;
  });
}

/** A name that no source has by chance. What a program could do with it, it may: see `counterSource`. */
const NAME = `count_${randomBytes(8).toString('hex')}`;
/** Seconds beyond the limits of its calls after which the thread is ended: QuickJS does not check the clock everywhere. */
const GRACE = 0.4;

const thread = new BoundedThread<CountRequest, CountReply>(path.join(__dirname, 'countingThread.js'), {
  seconds: GRACE,
  stack: SANDBOX_THREAD.resourceLimits.stackSizeMb,
});

function checkedCalls(calls: readonly (readonly unknown[])[]): string[] {
  if (!Array.isArray(calls) || !calls.every(Array.isArray))
    throw new TypeError(
      'countOperations: calls is a list with a list of arguments for each call, as in [[1, 2], [3, 4]].',
    );
  return calls.map((args) => {
    for (const argument of args) checkNesting(argument, 'The argument of a strategy');
    return markedText(args);
  });
}

async function analysed(code: string): ReturnType<typeof analyseAsync> {
  const analysis = await analyseAsync(code);
  const problem = analysis.found.find(({ kind }) => kind === 'syntax');
  if (!problem) return analysis;
  throw new StrategyError({ reason: 'error', message: `SyntaxError: ${problem.reason}`, line: problem.line });
}

async function played(request: CountRequest): Promise<CountReply> {
  const { argumentsTexts, limits } = request;
  const seconds = (argumentsTexts.length + 1) * limits.callTimeLimit + GRACE;
  try {
    return await thread.callAsync(request, seconds);
  } catch (error) {
    if (!(error instanceof ThreadLimitError)) throw error;
    const { reason, message } = error;
    return { outcomes: argumentsTexts.map(() => failed(reason, message)) };
  }
}
