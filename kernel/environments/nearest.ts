/** `names`, the most similar to `name` first. */
export function nearestFirst(name: string, names: readonly string[]): string[] {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const distance = new Map(names.map(candidate => [candidate, editDistance(plain(name), plain(candidate))]));
  return [...names].sort((a, b) => distance.get(a)! - distance.get(b)! || a.localeCompare(b));
}

/** Number of letters to insert, delete or replace to turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
