import { adviceOnName } from '../common/names';
import type { RewardFunction, Sample } from './sample';

/*
 * Hints at what was probably meant where a reward function fails, for people who
 * come from TRL, or misspell a name. Each is a sentence or two after a space,
 * or empty.
 */

const ONE_SAMPLE =
  ' A reward function scores one sample, not a batch as in TRL: function score({ completion }: Sample) { return completion.length; } gets one completion and returns one number.';

/** Returns a hint at the probable cause of a reward function's exception. */
export function hintOnError(error: unknown, score: RewardFunction, sample: Sample, samples: readonly Sample[]): string {
  if (!(error instanceof TypeError || error instanceof ReferenceError)) return '';
  const text = textOf(score);
  return (
    batchHint(text) ||
    messagesHint(text, error) ||
    nameHint(text, sample) ||
    positionHint(score) ||
    nullHint(error, text, sample, samples)
  );
}

/** Returns a hint at the probable cause of a value that is no reward. */
export function hintOnValue(value: unknown, score: RewardFunction, sample: Sample): string {
  const text = textOf(score);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return ONE_SAMPLE;
  if (value === undefined || Number.isNaN(value)) {
    const hint = batchHint(text) || nameHint(text, sample) || positionHint(score);
    if (hint) return hint;
  }
  if (value === undefined) return ' Does every branch end in a return?';
  if (typeof value === 'boolean') return ' Use Number(…) to make 0 or 1 of a boolean.';
  if (typeof value === 'number') return ' A division by zero, or a missing state variable?';
  if (typeof value === 'object') return ' Return the number itself, such as value.score, not the object around it.';
  return '';
}

/** Returns where an exception was thrown, if its stack has the kernel's names of cells: " (Cell [3], line 2, column 5)". */
export function placeOf(error: unknown): string {
  const stack = error instanceof Error ? String(error.stack ?? '') : '';
  const place = /\n {4}at [^\n]*?\(([^()\n]+, line \d+, column \d+)\)/.exec(stack);
  return place ? ` (${place[1]})` : '';
}

function textOf(score: RewardFunction): string {
  return Function.prototype.toString.call(score);
}

/** Recognises parameters that only TRL's functions of whole batches have. */
function batchHint(text: string): string {
  return /\b(completions|prompts|kwargs|completions?_ids|completionsIds)\b/.test(parametersOf(text)) ? ONE_SAMPLE : '';
}

/** Recognises code that reads lists of messages, which TRL passes. */
function messagesHint(text: string, error: Error): string {
  const name =
    /\b(completion|prompt)\b(?:\?\.|!)?\s*(?:\[\s*\d+\s*\]|\.at\(-?\d+\))[?!]*\.(?:content|role)\b/.exec(text)?.[1] ??
    /\b(completion|prompt)\.(?:map|filter|find|findLast|forEach|reduce|some|every)\b/.exec(text)?.[1];
  return name && error instanceof TypeError
    ? ` \`${name}\` is text here, not a list of messages: ${name}.includes("…").`
    : '';
}

/** Recognises names that the function reads of its sample and that the sample does not have. */
function nameHint(text: string, sample: Sample): string {
  const missing = namesRead(text).find((name) => !(name in sample));
  if (missing === undefined) return '';
  if (missing === 'length' || missing in Array.prototype) return ONE_SAMPLE;
  const own = [
    ...Object.keys(sample).filter((name) => name !== 'environmentError'),
    'trainerState',
    'logExtra',
    'logMetric',
  ];
  return ` The sample has no \`${missing}\`. ${adviceOnName(missing, own, 'names that it has')} A column of the data set has the name that it has in trainDataset.`;
}

function positionHint(score: RewardFunction): string {
  return score.length > 1
    ? ' A reward function is called with one argument, the sample: function score({ prompt, completion }: Sample) { … }.'
    : '';
}

/** Recognises the most common mistake: reading `episode.return` of a completion that never played. */
function nullHint(error: Error, text: string, sample: Sample, samples: readonly Sample[]): string {
  if (!/\bnull\b/.test(error.message) || !/\b(episode|code)\b/.test(text)) return '';
  if (samples.every(({ code, episode }) => code === null && episode === null))
    return ' `code` and `episode` are null: nothing was played (without env there are no strategies).';
  if (sample.code === null)
    return ' No strategy could be extracted from this completion: `code` and `episode` are null.';
  return sample.episode === null ? ' This strategy was not played: `episode` is null.' : '';
}

/** Returns a function's parameters, as text. */
function parametersOf(text: string): string {
  const arrow = /^\s*(?:async\s+)?([\p{ID_Continue}$]+)\s*=>/u.exec(text);
  if (arrow) return arrow[1];
  const start = text.indexOf('(');
  for (let depth = 0, i = start; i >= 0 && i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return text.slice(start + 1, i);
  }
  return '';
}

/** Returns the names that a function destructures of its first parameter without a default, or reads as its properties. */
function namesRead(text: string): string[] {
  const parameters = parametersOf(text);
  const pattern = /^\s*\{([^{}]*)\}/.exec(parameters);
  if (pattern)
    return pattern[1]
      .split(',')
      .flatMap((part) => /^\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?::[^=]*)?$/u.exec(part)?.[1] ?? []);
  const name = /^\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:,|$)/u.exec(parameters)?.[1];
  if (!name) return [];
  return [
    ...text.matchAll(
      new RegExp(
        `(?<![\\p{ID_Continue}$.])${name.replace(/\$/g, '\\$')}\\.([\\p{ID_Start}$_][\\p{ID_Continue}$]*)`,
        'gu',
      ),
    ),
  ].map((match) => match[1]);
}
