import { matchesOf } from './patterns';

/* Parts of a text, and how they are split. Characters are code points. */

/** A part of a text; `atStart` where the text begins with it. */
export interface Piece {
  text: string;
  atStart: boolean;
}

/** A span: its start, its end (exclusive), and whether it is a match. */
export type Span = [start: number, end: number, isMatch: boolean];

/** Returns spans that cover a text. */
export type Finder = (text: string) => Span[];

export const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type Behavior = (typeof BEHAVIORS)[number];

/** Returns a piece split at the matches of a pattern, without empty parts. */
export function split({ text, atStart }: Piece, find: Finder, behavior: Behavior, invert = false): Piece[] {
  const spans = find(text);
  if (invert) for (const span of spans) span[2] = !span[2];
  return joined(spans, behavior)
    .filter(([start, end]) => end > start)
    .map(([start, end]) => ({ text: text.slice(start, end), atStart: atStart && start === 0 }));
}

function joined(spans: Span[], behavior: Behavior): Span[] {
  switch (behavior) {
    case 'Isolated':
      return spans;
    case 'Removed':
      return spans.filter(([, , isMatch]) => !isMatch);
    case 'MergedWithNext':
      return merged(spans.reverse(), (previous, is) => is && !previous).reverse();
    case 'MergedWithPrevious':
      return merged(spans, (previous, is) => is && !previous);
    case 'Contiguous':
      return merged(spans, (previous, is) => is === previous);
  }
}

/** Returns spans, each joined to the one before it where `joins` returns true for the two. */
function merged(spans: Span[], joins: (previous: boolean, is: boolean) => boolean): Span[] {
  const result: Span[] = [];
  let previous = false;
  for (const [start, end, is] of spans) {
    const last = result.at(-1);
    if (last && joins(previous, is)) {
      last[0] = Math.min(last[0], start);
      last[1] = Math.max(last[1], end);
    } else result.push([start, end, is]);
    previous = is;
  }
  return result;
}

/** Returns a finder of the matches of a pattern and the spans between them. */
export function spansOf(pattern: RegExp): Finder {
  return (text) => {
    const spans: Span[] = [];
    let before = 0;
    for (const [start, end] of matchesOf(pattern, text)) {
      if (start > before) spans.push([before, start, false]);
      spans.push([start, end, true]);
      before = end;
    }
    if (before < text.length) spans.push([before, text.length, false]);
    return spans;
  };
}
