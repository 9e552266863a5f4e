import type { Completeness } from '../jupyter/interpreter';
import { parse } from './compile/declarations';

/** Whether a front end that reads line by line may run the code: tslab's rules, and a syntax error is `invalid`. */
export function completeness(code: string): Completeness {
  const { isCompleteCode } = require('tslab/dist/converter') as typeof import('tslab/dist/converter');
  const { completed, indent } = isCompleteCode(code);
  if (!completed) return { status: 'incomplete', indent: indent ?? '' };
  const { parseDiagnostics } = parse(code) as unknown as { parseDiagnostics: unknown[] };
  return { status: parseDiagnostics.length > 0 ? 'invalid' : 'complete' };
}
