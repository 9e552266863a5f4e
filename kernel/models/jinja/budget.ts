/*
 * Templates come from files of models, so what they may do is bounded: by
 * steps, where a step is about what one operation on a short value costs, and
 * by the size of single values. Counting them, rather than the time, gives the
 * same answer on every machine. A template can't do anything that isn't
 * counted here, which is why no thread or clock is needed.
 */
import { TemplateError } from './errors';

/** Largest number of steps, which take about a second. A long conversation takes some ten thousand. */
const STEPS = 10_000_000;
/** Largest number of characters of a text. */
const TEXT = 10_000_000;
/** Largest number of items of a list. */
const ITEMS = 1_000_000;
/** Deepest nesting of macros and recursive loops, about that of Python. */
const CALLS = 200;
/** Largest number of bits of an integer: more digits than Python would print. */
const BITS = 65_536;

const state = { steps: 0, calls: 0 };

/** Runs `work` with a budget of its own. */
export function withBudget<T>(work: () => T): T {
  const before = { ...state };
  Object.assign(state, { steps: STEPS, calls: 0 });
  try {
    return work();
  } finally {
    Object.assign(state, before);
  }
}

export function spend(steps: number): void {
  state.steps -= steps;
  if (state.steps < 0)
    throw new TemplateError('the template does more than ten million steps, so it is stopped; make its loops shorter');
}

/** Counts reading or making a text of `length` characters. Throws when it is too long. */
export function spendText(length: number): void {
  checkText(length);
  spend(1 + length / 64);
}

/** Throws when a text is too long. */
export function checkText(length: number): void {
  if (!(length <= TEXT))
    throw new TemplateError(`the template makes a text of ${length} characters; at most ${TEXT} are possible`);
}

/** Counts reading a text of `length` characters one by one. */
export function spendCharacters(length: number): void {
  spend(1 + length / 4);
}

/** Counts making a list of `count` items. Throws when it is too long. */
export function spendItems(count: number): void {
  if (!(count <= ITEMS))
    throw new TemplateError(`the template makes a list of ${count} items; at most ${ITEMS} are possible`);
  spend(1 + count);
}

export function checkBits(bits: number): void {
  if (!(bits <= BITS)) throw new TemplateError('the template computes with integers that are too large');
  spend(1 + bits / 64);
}

/** Runs a call of a macro within others. Throws when they are nested too deeply. */
export function nested<T>(work: () => T): T {
  if (++state.calls > CALLS) throw new TemplateError(`the template calls macros more than ${CALLS} levels deep`);
  try {
    return work();
  } finally {
    state.calls--;
  }
}
