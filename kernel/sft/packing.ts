import type { Example } from './dataset';
import type { ResolvedSFTConfig } from './config';

/** A row of a batch: one sequence, or several that do not see each other. */
export type Row = Example[];

/** Neighbouring examples that are packed together, as in TRL. */
const neighbours = 1000;

/**
 * Makes rows of examples: one each and cut at `maxLength`, or packed.
 * Rows from which nothing is learned are left out.
 */
export function makeRows(
  examples: readonly Example[],
  maxLength: number | null,
  strategy: ResolvedSFTConfig['packingStrategy'] | null,
): Row[] {
  const rows =
    strategy === null
      ? examples.map((example) => [maxLength === null ? example : cut(example, 0, maxLength)])
      : pack(examples, maxLength!, strategy);
  return rows.filter((row) => row.some(isLearned));
}

/** Returns whether a sequence has a learned token after the first, which nothing predicts. */
export function isLearned({ learned }: Example): boolean {
  return learned.indexOf(true, 1) > 0;
}

function pack(examples: readonly Example[], length: number, strategy: ResolvedSFTConfig['packingStrategy']): Row[] {
  const rows: Row[] = [];
  for (let start = 0; start < examples.length; start += neighbours) {
    const some = examples.slice(start, start + neighbours).filter(({ ids }) => ids.length > 0);
    if (strategy === 'wrapped') rows.push(...pieces(joined(some), length).map((piece) => [piece]));
    else
      rows.push(
        ...bestFit(
          strategy === 'bfd'
            ? some.map((example) => cut(example, 0, length))
            : some.flatMap((example) => pieces(example, length)),
          length,
        ),
      );
  }
  return rows;
}

/** Packs by best-fit decreasing: the longest example first, each into the fullest row that still has room. */
function bestFit(examples: readonly Example[], length: number): Row[] {
  const rows: Row[] = [];
  /** Rows by the room that they have left, in tokens, the oldest first. */
  const byRoom: Row[][] = Array.from({ length }, () => []);
  for (const example of [...examples].sort((a, b) => b.ids.length - a.ids.length)) {
    const size = example.ids.length;
    let room = size;
    while (room < length && byRoom[room].length === 0) room++;
    const row = room < length ? byRoom[room].shift()! : [];
    if (row.length === 0) rows.push(row);
    row.push(example);
    if (room > size) byRoom[room - size].push(row);
  }
  return rows;
}

function joined(examples: readonly Example[]): Example {
  return { ids: examples.flatMap(({ ids }) => ids), learned: examples.flatMap(({ learned }) => learned) };
}

function pieces(example: Example, length: number): Example[] {
  return Array.from({ length: Math.ceil(example.ids.length / length) }, (_, i) =>
    cut(example, i * length, (i + 1) * length),
  );
}

function cut({ ids, learned }: Example, start: number, end: number): Example {
  return start === 0 && ids.length <= end
    ? { ids, learned }
    : { ids: ids.slice(start, end), learned: learned.slice(start, end) };
}
