/*
 * Similar names, for errors that name the valid ones.
 */

/** Returns `names`, the most similar to `name` first. */
export function nearestFirst(name: string, names: readonly string[]): string[] {
  const distance = new Map(names.map((candidate) => [candidate, nameDistance(name, candidate)]));
  return [...names].sort((a, b) => distance.get(a)! - distance.get(b)! || a.localeCompare(b));
}

/** Returns a sentence with the valid name that was meant, or with all of them. */
export function adviceOnName(name: string, valid: readonly string[], what: string): string {
  const meant = meantName(name, valid);
  if (meant !== undefined) return `Did you mean ${meant}?`;
  return valid.length > 0 ? `The ${what} are: ${valid.join(', ')}.` : `There are no ${what}.`;
}

/** Returns the valid name that was meant: one that differs by a letter, else a longer one that contains it ("steps": "maxSteps"), else a similar one. */
function meantName(name: string, valid: readonly string[]): string | undefined {
  const [nearest] = nearestFirst(name, valid);
  if (nearest === undefined || nameDistance(name, nearest) <= 1) return nearest;
  const longer = plain(name).length < 4 ? [] : valid.filter((other) => plain(other).includes(plain(name)));
  return nearestFirst(name, longer)[0] ?? (isNear(name, nearest) ? nearest : undefined);
}

/** Returns whether one name may be the other, misspelt. */
export function isNear(name: string, other: string): boolean {
  const distance = nameDistance(name, other);
  return distance <= Math.max(2, name.length / 3) && distance < Math.max(name.length, other.length);
}

/**
 * Returns the number of letters to insert, delete or replace to turn one name into the other (Levenshtein). Case and
 * punctuation do not count.
 */
export function nameDistance(one: string, other: string): number {
  const [a, b] = [plain(one), plain(other)];
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

/** Returns a snake_case name in camelCase: `max_steps` becomes `maxSteps`. */
export function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}
