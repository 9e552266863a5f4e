/*
 * The earlier cells that the type checker still needs.
 */

/** A cell that declared something. */
export interface ChainCell {
  /** Its declarations: "v:name" for a value, "t:name" for a type, "g:name" for a global. */
  declares: ReadonlySet<string>;
  /** Identifiers in its text. */
  mentions: ReadonlySet<string>;
}

/**
 * The cells that can still be seen, oldest first: those that declare a name
 * that no later cell declares again, or one that a needed cell meant when it
 * mentioned the name. A cell that is run again and again leaves one entry.
 */
export function neededCells<T extends ChainCell>(cells: readonly T[]): T[] {
  const needed: T[] = [];
  /** For each declared name: the mentions in needed cells since it was declared, from the newest cell backwards. */
  const mentionedSince = new Map<string, Set<string>>();
  for (const cell of [...cells].reverse()) {
    const isNeeded = [...cell.declares].some((key) => mentionedSince.get(key)?.has(key.slice(2)) ?? true);
    if (!isNeeded) continue;
    needed.push(cell);
    for (const key of cell.declares) mentionedSince.set(key, new Set());
    for (const [key, mentions] of mentionedSince) {
      // Its own declaration is what the cell means.
      if (!cell.declares.has(key) && cell.mentions.has(key.slice(2))) mentions.add(key.slice(2));
    }
  }
  return needed.reverse();
}
