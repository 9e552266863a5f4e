/** One input: session (0 is the current one), line (the execution count), source. */
export type HistoryEntry = [session: number, line: number, source: string];

/** The inputs of this session, for `history_request`. */
export class History {
  private readonly entries: HistoryEntry[] = [];

  add(line: number, source: string): void {
    this.entries.push([0, line, source]);
  }

  /** Content of `history_reply`. This kernel keeps inputs only: where outputs are asked for, they are null. */
  reply(content: Record<string, any>): object {
    const entries = this.query(content);
    const history = content.output ? entries.map(([session, line, source]) => [session, line, [source, null]]) : entries;
    return { status: 'ok', history };
  }

  /** Answers the content of a `history_request`: `tail`, `range` or `search` (with `*` and `?`). */
  private query(content: Record<string, any>): HistoryEntry[] {
    const { hist_access_type: type, n, pattern, start, stop, session = 0, unique } = content;
    if (type === 'range') {
      if (session !== 0) return [];
      return this.entries.filter(([, line]) => line >= (start ?? 0) && (typeof stop !== 'number' || line < stop));
    }
    let found = this.entries;
    if (type === 'search') {
      const expression = glob(String(pattern ?? '*'));
      found = found.filter(([, , source]) => expression.test(source));
      if (unique) found = found.filter((entry, index) => found.findLastIndex((other) => other[2] === entry[2]) === index);
    }
    return typeof n === 'number' ? found.slice(Math.max(0, found.length - n)) : found;
  }
}

function glob(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${escaped}$`, 's');
}
