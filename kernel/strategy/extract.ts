const LANGUAGES = new Set(['', 'ts', 'typescript', 'js', 'javascript']);

/** `function strategy(` or `const strategy =` at the start of a line. */
const DECLARATION = /^\s*(?:export\s+(?:default\s+)?)?(?:async\s+)?(?:function\s*\*?\s*strategy\s*[(<]|(?:const|let|var)\s+strategy\s*[=:])/m;

/**
 * The source of the function `strategy` in a completion, or `null`.
 *
 * The first fenced block that declares `strategy` is taken, whole: helper
 * functions and constants beside it belong to it. All else is ignored.
 *
 * - A fence is a line of its own: three or more backticks, indented by at most
 *   three spaces, and after the opening one nothing, `ts`, `typescript`, `js`
 *   or `javascript`. Blocks of another language are skipped.
 * - A block ends at a line of as many backticks (or more) and nothing else. One
 *   that never ends was cut off, and does not count.
 *
 * Whether the code is correct is another question: `checkCode` answers it.
 */
export function extractFunction(completion: string): string | null {
  const lines = String(completion ?? '').split(/\r\n|\r|\n/);
  for (let start = 0; start < lines.length; start++) {
    const fence = /^ {0,3}(`{3,})[ \t]*([^`\s]*)[ \t]*$/.exec(lines[start]);
    if (!fence) continue;
    const end = closingFence(lines, start + 1, fence[1].length);
    if (end === -1) return null;
    const code = lines.slice(start + 1, end).join('\n');
    if (LANGUAGES.has(fence[2].toLowerCase()) && DECLARATION.test(code)) return code;
    start = end;
  }
  return null;
}

function closingFence(lines: string[], from: number, ticks: number): number {
  for (let i = from; i < lines.length; i++) {
    const fence = /^ {0,3}(`{3,})[ \t]*$/.exec(lines[i]);
    if (fence && fence[1].length >= ticks) return i;
  }
  return -1;
}
