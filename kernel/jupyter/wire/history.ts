import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SESSION } from '../message';

/** One input: its session, its line (the execution count) and its source. */
export type HistoryEntry = [session: number, line: number, source: string];

/** A line of the file: the session is its ID, so that kernels that run at the same time are told apart. */
type Input = [session: string, line: number, source: string];

/** Bytes above which a file loses the older half of its lines. */
const MAXIMUM_SIZE = 4 << 20;

/**
 * The inputs of this session and of earlier ones, for `history_request`. They
 * are kept in a file of the user, a line of JSON for each: a console offers
 * them again after a restart.
 */
export class History {
  private readonly own: Input[] = [];
  private isWritable: boolean;

  /** @param file the file that keeps inputs; empty: none, and they end with the kernel */
  constructor(private readonly file: string) {
    this.isWritable = file !== '';
  }

  add(line: number, source: string): void {
    const input: Input = [SESSION, line, source];
    this.own.push(input);
    if (!this.isWritable) return;
    try {
      if (this.own.length === 1) prepare(this.file);
      appendFileSync(this.file, `${JSON.stringify(input)}\n`, { mode: 0o600 });
    } catch {
      // A home without room or without rights: the session's own history is there all the same.
      this.isWritable = false;
    }
  }

  /** Returns the content of `history_reply`. Outputs are not kept: when asked for, they are `null`. */
  reply(content: Record<string, any>): object {
    const entries = this.query(content);
    const history = content.output
      ? entries.map(([session, line, source]) => [session, line, [source, null]])
      : entries;
    return { status: 'ok', history };
  }

  /** Returns the inputs that a `history_request` asks for: `tail`, `range` or `search` (with `*` and `?`). */
  private query(content: Record<string, any>): HistoryEntry[] {
    const { hist_access_type: type, n, pattern, unique } = content;
    if (type === 'range') return this.range(content);
    let found = this.numbered();
    if (type === 'search') {
      const expression = glob(String(pattern ?? '*'));
      found = found.filter(([, , source]) => expression.test(source));
      if (unique) found = withoutRepeats(found);
    }
    return typeof n === 'number' ? found.slice(Math.max(0, found.length - n)) : found;
  }

  /** Returns the inputs of a session: 0 is this one, -1 the one before it, 1 the first. */
  private range({ start, stop, session: asked = 0 }: Record<string, any>): HistoryEntry[] {
    const isAsked = ([, line]: HistoryEntry) => line >= (start ?? 0) && (typeof stop !== 'number' || line < stop);
    if (asked === 0) return this.own.map(([, line, source]): HistoryEntry => [0, line, source]).filter(isAsked);
    const all = this.numbered();
    // Without inputs of its own, this session would be the next.
    const current = this.own.length > 0 ? all.at(-1)![0] : (all.at(-1)?.[0] ?? 0) + 1;
    const number = asked < 0 ? current + asked : asked;
    return all.filter(([session]) => session === number).filter(isAsked);
  }

  /** Returns all inputs, the sessions numbered from 1 in the order in which they began, this one last. */
  private numbered(): HistoryEntry[] {
    const sessions = new Map<string, Input[]>();
    for (const input of this.read()) {
      if (input[0] === SESSION) continue;
      const inputs = sessions.get(input[0]) ?? [];
      sessions.set(input[0], inputs);
      inputs.push(input);
    }
    if (this.own.length > 0) sessions.set(SESSION, this.own);
    return [...sessions.values()].flatMap((inputs, i) =>
      inputs.map(([, line, source]): HistoryEntry => [i + 1, line, source]),
    );
  }

  private read(): Input[] {
    if (this.file === '') return [];
    try {
      return readFileSync(this.file, 'utf8').split('\n').flatMap(parse);
    } catch {
      return [];
    }
  }
}

function prepare(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= MAXIMUM_SIZE) return;
  const lines = readFileSync(file, 'utf8').split('\n');
  const part = `${file}.${process.pid}`;
  writeFileSync(part, lines.slice(lines.length >> 1).join('\n'), { mode: 0o600 });
  renameSync(part, file);
}

/** Returns the input of a line of the file; none for a line that another program, or a crash, left there. */
function parse(text: string): Input[] {
  try {
    const [session, line, source] = JSON.parse(text) as Input;
    return typeof session === 'string' && typeof line === 'number' && typeof source === 'string'
      ? [[session, line, source]]
      : [];
  } catch {
    return [];
  }
}

/** Returns the entries without those that a newer one repeats. */
function withoutRepeats(entries: HistoryEntry[]): HistoryEntry[] {
  const newest = new Map(entries.map((entry, index) => [entry[2], index]));
  return entries.filter((entry, index) => newest.get(entry[2]) === index);
}

function glob(pattern: string): RegExp {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${escaped}$`, 's');
}
