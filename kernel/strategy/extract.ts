import { answerLines, closes, fenceOf } from './thinking';

const LANGUAGES = new Set(['', 'ts', 'typescript', 'js', 'javascript']);

/** `function strategy(` or `const strategy =` at the start of a line. */
const DECLARATION =
  /^[^\S\r\n]*(?:export\s+(?:default\s+)?)?(?:async\s+)?(?:function(?:\s*\*)?\s*strategy\s*[(<]|(?:const|let|var)\s+strategy\s*[=:])/m;

/**
 * Returns the source of the function `strategy` in a completion, or `null`.
 *
 * The last fenced block of the answer that declares `strategy` is taken, whole: helper
 * functions and constants beside it belong to it. All else is ignored.
 *
 * - What a model thinks before it answers is no answer: what stands between `<think>`
 *   and `</think>` (or the marks of another family: `<reasoning>`, `[THINK]`, the
 *   channels of gpt-oss …), before an end whose beginning was in the prompt, or after
 *   a beginning that has no end. Marks in quotes and inside the blocks of the answer
 *   are text. A draft without an answer gives `null`.
 * - A fence is a line of its own: three or more backticks, indented by at most three
 *   spaces, and after the opening one nothing, `ts`, `typescript`, `js` or
 *   `javascript`. Blocks of another language are skipped.
 * - A block ends at a line of as many backticks (or more) and nothing else. One that
 *   never ends was cut off, and does not count: the one before it is taken.
 *
 * Whether the code is correct is another question: `checkCode` answers it.
 */
export function extractFunction(completion: string): string | null {
  const lines = answerLines(String(completion ?? ''));
  let found: string | null = null;
  for (let start = 0; start < lines.length; start++) {
    const fence = fenceOf(lines[start]);
    if (!fence) continue;
    let end = start + 1;
    while (end < lines.length && !closes(fenceOf(lines[end]), fence.ticks)) end++;
    if (end === lines.length) break;
    const code = lines.slice(start + 1, end).join('\n');
    if (LANGUAGES.has(fence.language) && DECLARATION.test(code)) found = code;
    start = end;
  }
  return found;
}
