/* Sentencepiece's unigram model: the tokens of a text are those with the best sum of scores. */
import type { Settings } from './settings';
import { byteTokens, Vocabulary, type Model } from './vocabulary';

/** Cost of an unknown character above that of the worst token. */
const PENALTY = 10;

interface Node {
  children: Map<string, Node>;
  id: number | undefined;
}

/** The best segmentation up to an index: its last token, and where that starts. */
interface Step {
  id: number;
  start: number;
  score: number;
}

export function readUnigram(settings: Settings): Model {
  return new Unigram(settings);
}

class Unigram implements Model {
  readonly type = 'Unigram';
  longest = 0;
  readonly vocabulary: Vocabulary;
  private readonly scores: number[] = [];
  private readonly root: Node = { children: new Map(), id: undefined };
  private readonly unknownScore: number;
  private readonly unknownId: number | null;
  private readonly byteFallback: boolean;

  constructor(private readonly settings: Settings) {
    const ids = new Map<string, number>();
    settings.list('vocab').forEach((entry, id) => {
      const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof token !== 'string' || typeof score !== 'number' || !Number.isFinite(score))
        throw new Error(`${settings.where}.vocab[${id}] should be a token and its score, a number`);
      ids.set(token, id);
      this.scores.push(score);
      this.add(token, id);
    });
    this.vocabulary = new Vocabulary(ids);
    this.unknownId = settings.has('unk_id') ? settings.whole('unk_id') : null;
    if (this.unknownId !== null && this.unknownId >= this.scores.length)
      settings.fail('unk_id', 'the ID of a token of the vocabulary');
    this.unknownScore = this.scores.reduce((least, score) => Math.min(least, score), Infinity) - PENALTY;
    this.byteFallback = settings.flag('byte_fallback', false);
  }

  private add(token: string, id: number): void {
    this.longest = Math.max(this.longest, token.length);
    let node = this.root;
    for (const character of token) {
      let next = node.children.get(character);
      if (!next) node.children.set(character, (next = { children: new Map(), id: undefined }));
      node = next;
    }
    if (token !== '') node.id = id;
  }

  tokenize(piece: string): number[] {
    return this.parts([...piece]).flatMap((text) => {
      const id = this.vocabulary.id(text);
      if (id !== undefined) return [id];
      return (this.byteFallback ? byteTokens(this.vocabulary, text) : undefined) ?? [this.unknown()];
    });
  }

  private unknown(): number {
    return (
      this.unknownId ?? this.settings.fail('unk_id', 'the ID of a token, as the text has characters that no token has')
    );
  }

  /** Returns the texts of the best tokens; adjacent unknown characters are one text. */
  private parts(characters: string[]): string[] {
    const steps = this.bestSteps(characters);
    const parts: string[] = [];
    let unknownEnd = -1;
    const flush = (start: number): void => {
      if (unknownEnd >= 0) parts.push(characters.slice(start, unknownEnd).join(''));
      unknownEnd = -1;
    };
    for (let end = characters.length; end > 0; end = steps[end]!.start) {
      const { id, start } = steps[end]!;
      if (id === this.unknownId) unknownEnd = unknownEnd < 0 ? end : unknownEnd;
      else {
        flush(end);
        parts.push(characters.slice(start, end).join(''));
      }
    }
    flush(0);
    return parts.reverse();
  }

  private bestSteps(characters: string[]): (Step | undefined)[] {
    const steps = new Array<Step | undefined>(characters.length + 1);
    const reach = (end: number, id: number, start: number, score: number): void => {
      const known = steps[end];
      if (!known || score > known.score) steps[end] = { id, start, score };
    };
    for (let start = 0; start < characters.length; start++) {
      const before = steps[start]?.score ?? 0;
      let single = false;
      let node: Node | undefined = this.root;
      for (let end = start; end < characters.length; end++) {
        node = node.children.get(characters[end]);
        if (!node) break;
        if (node.id === undefined) continue;
        reach(end + 1, node.id, start, before + this.scores[node.id]);
        single ||= end === start;
      }
      if (!single) reach(start + 1, this.unknown(), start, before + this.unknownScore);
    }
    return steps;
  }
}
