/*
 * Sentencepiece's compiled table of replacements: a trie of what is replaced,
 * as a double array, and then the replacements.
 */

/** Returns a function that replaces by a table. Throws when the table is not valid. */
export function readCharsMap(encoded: string, where: string): (text: string) => string {
  const bytes = Buffer.from(encoded, 'base64');
  const size = bytes.length >= 4 ? bytes.readUInt32LE(0) : -1;
  if (size < 0 || size % 4 !== 0 || size + 4 > bytes.length)
    throw new Error(`${where}.precompiled_charsmap is not a table of sentencepiece`);
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const replacements = bytes.subarray(4 + size);
  const known = new Map<string, string | undefined>();
  const change = (part: string): string | undefined => {
    if (!known.has(part)) {
      if (known.size > 10_000) known.clear();
      known.set(part, lookUp(units, replacements, Buffer.from(part, 'utf8')));
    }
    return known.get(part);
  };
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
  return (text) => {
    let result = '';
    for (const { segment } of graphemes.segment(text)) {
      const whole = Buffer.byteLength(segment) < 6 ? change(segment) : undefined;
      if (whole !== undefined) result += whole;
      else for (const character of segment) result += change(character) ?? character;
    }
    return result;
  };
}

/** Returns the replacement of the shortest prefix in the trie; `undefined` where there is none. */
function lookUp(units: Uint32Array, replacements: Buffer, key: Buffer): string | undefined {
  const offset = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  let node = offset(units[0] ?? 0);
  for (const byte of key) {
    if (byte === 0) return undefined;
    node ^= byte;
    const unit = units[node];
    if (unit === undefined || (unit & ((1 << 31) | 0xff)) !== byte) return undefined;
    node ^= offset(unit);
    if ((unit >>> 8) & 1) {
      const start = (units[node] ?? 0) & 0x7fffffff;
      const end = replacements.indexOf(0, start);
      return replacements.toString('utf8', start, end < 0 ? replacements.length : end);
    }
  }
  return undefined;
}
