import type { Evaluation } from './program';

/** A parent as an edit prompt shows it. */
export interface EditSubject {
  code: string;
  worth: number;
  /** The highest worth of all programs. */
  best: number;
  /** Its newest episode. */
  evaluation: Evaluation | undefined;
  /** Other programs that are shown beside it. */
  inspirations?: ReadonlyArray<{ code: string; worth: number }>;
}

/** Characters of a failure's message that a prompt shows, at most. */
const LONGEST_MESSAGE = 120;

/**
 * Returns the text below the environment's prompt that asks for an edit of a program:
 *
 *   Change this program, which scored 12.5 (the best so far: 31):
 *   ```ts
 *   function strategy(state) { … }
 *   ```
 *   Its last episode: return 12, 431 steps, terminated.
 *   Rewards: plays 0.31, survives 0.5.
 *
 * Inspirations come before it, each as `Another program scored 14:` with its source.
 */
export function editPrompt({ code, worth, best, evaluation, inspirations = [] }: EditSubject): string {
  const others = inspirations.flatMap((other) => [
    `Another program scored ${shortened(other.worth)}:`,
    '```ts',
    other.code,
    '```',
  ]);
  const lines = [
    ...others,
    `Change this program, which scored ${shortened(worth)} (the best so far: ${shortened(best)}):`,
    '```ts',
    code,
    '```',
  ];
  if (evaluation) {
    lines.push(
      `Its last episode: return ${shortened(evaluation.return)}, ${evaluation.steps} steps, ${ending(evaluation)}.`,
    );
    const rewards = Object.entries(evaluation.rewards).map(
      ([name, value]) => `${name} ${value === null ? 'none' : shortened(value)}`,
    );
    if (rewards.length > 0) lines.push(`Rewards: ${rewards.join(', ')}.`);
  }
  return lines.join('\n');
}

function ending({ end: { reason, message, line } }: Evaluation): string {
  if (reason === 'terminated' || reason === 'truncated' || message === undefined) return reason;
  const place = line === undefined ? '' : ` in line ${line}`;
  return `${reason}${place}: ${message.replace(/\s+/g, ' ').trim().slice(0, LONGEST_MESSAGE)}`;
}

function shortened(value: number): string {
  return String(Number(value.toPrecision(4)));
}
