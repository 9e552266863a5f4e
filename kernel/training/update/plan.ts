import type { Sequence, Tree } from '../../models/graph/trees';

/** Prompts and completions, as token IDs. */
export interface Sequences {
  /** Context that is not learned, none empty. */
  promptIds: readonly (readonly number[])[];
  /** Tokens that are learned, none empty. */
  completionIds: readonly (readonly number[])[];
  /** Completion i answers prompt `promptOf[i]`. */
  promptOf: ArrayLike<number>;
}

/** Rows whose `targets` are the tokens of a completion; null where it has none. */
export interface PlannedSequence extends Sequence {
  completion: number | null;
  /** Numbers sequences of a batch, however it is cut: what is random in their rows follows from it. */
  stream: number;
}

export type PlannedTree = Tree<PlannedSequence>;

/** Work of one or, where a tree is cut, several runs. */
export type PlannedStep =
  /** All rows of some trees, which have branches or have none. */
  | { rows: 'roots' | 'both'; trees: PlannedTree[] }
  /** The root of a tree forward; its branches, some at a time; the root backward. */
  | { rows: 'cut'; root: PlannedSequence; parts: PlannedSequence[][] };

/**
 * Cuts a batch into runs of at most about `maxRows` rows (a sequence is never
 * cut). The prompt of several completions is a root that they branch from;
 * other completions stand alone, with their prompt.
 */
export function planSteps(batch: Sequences, maxRows: number): PlannedStep[] {
  const { alone, shared } = trees(batch);
  const whole = shared.filter((tree) => rowsOf(tree) <= maxRows);
  const cut = shared.filter((tree) => rowsOf(tree) > maxRows);
  return [
    ...together(longestFirst(alone, rowsOf), rowsOf, maxRows).map((trees): PlannedStep => ({ rows: 'roots', trees })),
    ...together(whole, rowsOf, maxRows).map((trees): PlannedStep => ({ rows: 'both', trees })),
    ...cut.map(({ root, branches }): PlannedStep => {
      const length = ({ ids }: Sequence) => ids.length;
      return { rows: 'cut', root, parts: together(longestFirst(branches, length), length, maxRows) };
    }),
  ];
}

function trees({ promptIds, completionIds, promptOf }: Sequences): { alone: PlannedTree[]; shared: PlannedTree[] } {
  const answers = promptIds.map((): number[] => []);
  completionIds.forEach((_, i) => answers[promptOf[i]].push(i));
  const alone: PlannedTree[] = [];
  const shared: PlannedTree[] = [];
  answers.forEach((completions, p) => {
    const prompt = promptIds[p];
    const sequence = (context: readonly number[], i: number): PlannedSequence => {
      const targets = completionIds[i];
      return { ids: [...context, ...targets.slice(0, -1)], targets, completion: i, stream: i };
    };
    if (completions.length < 2 || prompt.length < 2) {
      for (const i of completions) alone.push({ root: sequence(prompt, i), branches: [] });
    } else {
      // Each branch has a row of its own for the prompt's last token: that one predicts, and all rows of branches do.
      const root = { ids: prompt.slice(0, -1), targets: [], completion: null, stream: completionIds.length + p };
      shared.push({ root, branches: completions.map((i) => sequence(prompt.slice(-1), i)) });
    }
  });
  return { alone, shared };
}

function rowsOf({ root, branches }: PlannedTree): number {
  return branches.reduce((sum, { ids }) => sum + ids.length, root.ids.length);
}

/** Returns the longest first: rectangles of sequences of similar length have little padding. */
function longestFirst<T>(items: readonly T[], length: (item: T) => number): T[] {
  return [...items].sort((a, b) => length(b) - length(a));
}

/** Returns runs of neighbours that have about the same number of rows, at most `maxRows` where an item alone has not more. */
function together<T>(items: readonly T[], rows: (item: T) => number, maxRows: number): T[][] {
  const total = items.reduce((sum, item) => sum + rows(item), 0);
  const target = total / Math.max(1, Math.ceil(total / maxRows));
  const parts: T[][] = [];
  let used = Infinity;
  for (const item of items) {
    if (used + rows(item) > maxRows || used >= target) {
      parts.push([]);
      used = 0;
    }
    parts[parts.length - 1].push(item);
    used += rows(item);
  }
  return parts;
}
