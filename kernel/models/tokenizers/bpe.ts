/* Byte-pair encoding: neighbours are joined, those first that were joined first in training. */
import type { Settings } from './settings';
import { byteTokens, readVocabulary, type Model, type Vocabulary } from './vocabulary';

interface Merge {
  rank: number;
  id: number;
}

/** Pieces whose tokens are cached, at most. */
const CACHED = 10_000;
const LONGEST_CACHED = 256;

export function readBpe(settings: Settings): Model {
  return new BytePairs(settings);
}

class BytePairs implements Model {
  readonly type = 'BPE';
  readonly longest = 0;
  readonly vocabulary: Vocabulary;
  /** Merges by the two IDs. */
  private readonly merges: ReadonlyMap<number, ReadonlyMap<number, Merge>>;
  private readonly cache = new Map<string, number[]>();
  private readonly unknown: string | null;
  private readonly prefix: string;
  private readonly suffix: string;
  private readonly fuseUnknown: boolean;
  private readonly byteFallback: boolean;
  private readonly ignoreMerges: boolean;

  constructor(private readonly settings: Settings) {
    if (settings.has('dropout') && settings.get('dropout') !== 0)
      throw new Error(
        `${settings.where}.dropout makes other tokens of a text each time, which is not possible here; set it to null`,
      );
    this.vocabulary = readVocabulary(settings);
    this.unknown = settings.optionalText('unk_token');
    this.prefix = settings.optionalText('continuing_subword_prefix') ?? '';
    this.suffix = settings.optionalText('end_of_word_suffix') ?? '';
    this.fuseUnknown = settings.flag('fuse_unk', false);
    this.byteFallback = settings.flag('byte_fallback', false);
    this.ignoreMerges = settings.flag('ignore_merges', false);
    this.merges = readMerges(settings, this.vocabulary, this.prefix.length);
  }

  tokenize(piece: string): number[] {
    if (this.ignoreMerges) {
      const id = this.vocabulary.id(piece);
      if (id !== undefined) return [id];
    }
    const known = this.cache.get(piece);
    if (known) return known;
    const ids = this.joined(this.parts(piece));
    if (piece.length <= LONGEST_CACHED) {
      if (this.cache.size >= CACHED) this.cache.clear();
      this.cache.set(piece, ids);
    }
    return ids;
  }

  /** Returns the tokens of single characters. */
  private parts(piece: string): number[] {
    const ids: number[] = [];
    let unknown = false;
    const characters = [...piece];
    characters.forEach((character, i) => {
      const part = (i > 0 ? this.prefix : '') + character + (i === characters.length - 1 ? this.suffix : '');
      const id = this.vocabulary.id(part);
      const bytes = id === undefined && this.byteFallback ? byteTokens(this.vocabulary, part) : undefined;
      if (id !== undefined) ids.push(...this.pending(unknown), id);
      else if (bytes) ids.push(...bytes);
      else if (this.unknown !== null && unknown && !this.fuseUnknown) ids.push(this.unknownId());
      if (!bytes) unknown = id === undefined && this.unknown !== null;
    });
    return [...ids, ...this.pending(unknown)];
  }

  /** Returns the token of unknown text that has ended. */
  private pending(unknown: boolean): number[] {
    return unknown ? [this.unknownId()] : [];
  }

  private unknownId(): number {
    return this.vocabulary.id(this.unknown!) ?? this.settings.fail('unk_token', 'a token of the vocabulary');
  }

  private joined(ids: number[]): number[] {
    if (ids.length < 2) return ids;
    const word = new Word(ids, this.merges);
    return word.join();
  }
}

/** The tokens of a piece as a linked list, in which neighbours are merged. */
class Word {
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly queue = new Queue();

  constructor(
    /** IDs of the tokens; −1 for one that was merged into the token before it. */
    private readonly ids: number[],
    private readonly merges: ReadonlyMap<number, ReadonlyMap<number, Merge>>,
  ) {
    this.next = Int32Array.from(ids, (_, i) => (i + 1 < ids.length ? i + 1 : -1));
    this.previous = Int32Array.from(ids, (_, i) => i - 1);
  }

  join(): number[] {
    const { ids, next, previous } = this;
    for (let i = 0; i + 1 < ids.length; i++) this.consider(i);
    for (let top = this.queue.pop(); top; top = this.queue.pop()) {
      const at = top.at;
      const right = next[at];
      // What stood there may have been joined to something else meanwhile.
      if (ids[at] < 0 || right < 0 || this.merges.get(ids[at])?.get(ids[right])?.id !== top.id) continue;
      ids[at] = top.id;
      ids[right] = -1;
      next[at] = next[right];
      if (next[at] >= 0) previous[next[at]] = at;
      if (previous[at] >= 0) this.consider(previous[at]);
      this.consider(at);
    }
    return ids.filter((id) => id >= 0);
  }

  private consider(at: number): void {
    const right = this.next[at];
    const merge = right < 0 ? undefined : this.merges.get(this.ids[at])?.get(this.ids[right]);
    if (merge) this.queue.push({ at, rank: merge.rank, id: merge.id });
  }
}

interface Candidate extends Merge {
  at: number;
}

/** A priority queue: the lowest rank first and, of equal ones, the leftmost. */
class Queue {
  private readonly heap: Candidate[] = [];

  push(candidate: Candidate): void {
    const { heap } = this;
    let at = heap.push(candidate) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(candidate, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = candidate;
  }

  pop(): Candidate | undefined {
    const { heap } = this;
    const [top] = heap;
    const last = heap.pop();
    if (heap.length === 0 || !last) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Candidate, b: Candidate): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.at < b.at);
}

function readMerges(settings: Settings, vocabulary: Vocabulary, prefix: number): Map<number, Map<number, Merge>> {
  const merges = new Map<number, Map<number, Merge>>();
  settings.list('merges').forEach((merge, rank) => {
    const [left, right] = pairOf(merge, `${settings.where}.merges[${rank}]`);
    const id = (token: string): number => {
      const found = vocabulary.id(token);
      if (found === undefined)
        throw new Error(
          `${settings.where}.merges[${rank}] names ${JSON.stringify(token)}, which the vocabulary does not have`,
        );
      return found;
    };
    const first = id(left);
    const row = merges.get(first) ?? new Map<number, Merge>();
    merges.set(first, row);
    row.set(id(right), { rank, id: id(left + right.slice(prefix)) });
  });
  return merges;
}

/** Returns the two tokens of a merge, which older files write as one text. Throws when it is no pair. */
function pairOf(merge: unknown, where: string): [string, string] {
  const pair: unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : [];
  if (pair.length !== 2 || !pair.every((part) => typeof part === 'string'))
    throw new Error(`${where} should be two tokens`);
  return pair as [string, string];
}
