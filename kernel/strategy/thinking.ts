/*
 * Where a model thinks before it answers. Each family marks it in its own way;
 * some begin to think in the prompt, so that a completion has the end alone.
 */

const TAGS = '(?:seed:)?(?:think|thinking|thoughts?|reasoning|reflection|scratchpad|analysis)';

/** Marks between which a model thinks: Qwen, DeepSeek, SmolLM and their like, Kimi, Mistral, Cohere, OpenThinker, Gemma. */
const PAIRS: [begin: string, end: string][] = [
  [`<${TAGS}>`, `</${TAGS}>`],
  ['◁think▷', '◁/think▷'],
  ['\\[THINK\\]', '\\[/THINK\\]'],
  ['<\\|START_THINKING\\|>', '<\\|END_THINKING\\|>'],
  ['<\\|begin_of_thought\\|>', '<\\|end_of_thought\\|>'],
  ['<\\|channel>thought', '<channel\\|>'],
  // gpt-oss: every channel but the last one is thinking.
  ['<\\|channel\\|>(?:analysis|commentary)', '<\\|channel\\|>final(?:<\\|message\\|>)?'],
];
const BEGIN = PAIRS.map(([begin]) => begin).join('|');
const END = PAIRS.map(([, end]) => end).join('|');

/** A mark that is not in quotes (three backticks are a fence); the first group is there where thinking begins. */
const MARK = new RegExp(`(?<!(?<!\`\`)["'\`])(?:(${BEGIN})|${END})`, 'gi');
const LONE_END = new RegExp(`^[ \\t]*(?:${END})[ \\t]*$`, 'i');

/** Blocks that may turn out to be drafts, in the middle of which thinking ended, at most. */
const MOST_DRAFTS = 16;

/**
 * Returns the lines of a completion that are its answer: those outside of thinking,
 * and after the last end of thinking that has no beginning.
 */
export function answerLines(completion: string): string[] {
  const lines = withoutChannels(completion).split(/\r\n|\r|\n/);
  let answer = new Answer();
  let drafts = 0;
  for (let i = 0; i < lines.length; i++) {
    if (answer.block === undefined) answer.read(lines[i]);
    else answer.readInBlock(lines[i], i);
    const last = i === lines.length - 1;
    const { block } = answer;
    if (block?.end === undefined || !(last || block.reopened) || drafts++ === MOST_DRAFTS) continue;
    // A block with the end of thinking in it, and another behind that: a draft that was left.
    i = block.end;
    answer = new Answer();
  }
  return answer.lines;
}

/**
 * Returns the final channel of a completion of gpt-oss without special tokens:
 * "analysis…assistantfinal…"; other completions unchanged.
 */
function withoutChannels(completion: string): string {
  const start = completion.slice(0, 100).trimStart();
  if (!/^(?:analysis|commentary)/.test(start)) return completion;
  const final = completion.lastIndexOf('assistantfinal');
  if (final >= 0) return completion.slice(final + 'assistantfinal'.length);
  return /^(?:analysis|commentary)[A-Z]/.test(start) ? '' : completion;
}

/** Collects the lines of the answer, line by line. */
class Answer {
  lines: string[] = [];
  /** The open block: its fence, the line in it where thinking ends, and whether a block begins after that. */
  block: { ticks: number; end?: number; reopened?: boolean } | undefined;
  private thinking = false;

  read(line: string): void {
    let from = 0;
    for (const match of line.matchAll(MARK)) {
      const begins = match[1] !== undefined;
      if (begins && this.thinking) continue;
      if (begins) this.lines.push(line.slice(from, match.index));
      else if (!this.thinking) this.lines.length = 0;
      this.thinking = begins;
      from = match.index + match[0].length;
    }
    if (this.thinking) return;
    const rest = line.slice(from);
    this.lines.push(rest);
    const fence = fenceOf(rest);
    if (fence) this.block = { ticks: fence.ticks };
  }

  /** Reads a line of a code block, in which marks are text. */
  readInBlock(line: string, at: number): void {
    const block = this.block!;
    this.lines.push(line);
    const fence = fenceOf(line);
    if (closes(fence, block.ticks)) this.block = undefined;
    else if (fence && block.end !== undefined) block.reopened = true;
    else if (block.end === undefined && LONE_END.test(line)) block.end = at;
  }
}

/** A line of three or more backticks, indented by at most three spaces, with one word behind them or none. */
export interface Fence {
  ticks: number;
  language: string;
}

export function fenceOf(line: string): Fence | undefined {
  const match = /^ {0,3}(`{3,})/.exec(line);
  if (!match) return undefined;
  const language = line.slice(match[0].length).trim();
  return /[`\s]/.test(language) ? undefined : { ticks: match[1].length, language: language.toLowerCase() };
}

/** Returns whether a fence closes a block whose opening fence has `ticks` backticks. */
export function closes(fence: Fence | undefined, ticks: number): boolean {
  return (
    fence !== undefined &&
    fence.ticks >= ticks &&
    /^(?:<\|(?:end|return|im_end|eot_id|endoftext)\|>)?$/.test(fence.language)
  );
}
