/** The characters that stand for bytes, as in GPT-2: printable ones for themselves, the others from Ā on. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

/** The byte of each such character, or -1. */
const BYTES = new Int16Array(512).fill(-1);
BYTE_CHARACTERS.forEach((character, byte) => (BYTES[character.charCodeAt(0)] = byte));

/** Returns the bytes of a text as characters. */
export function toByteCharacters(text: string): string {
  let result = '';
  for (const byte of Buffer.from(text, 'utf8')) result += BYTE_CHARACTERS[byte];
  return result;
}

/** Returns the text of the bytes that tokens stand for; a token with other characters stands for its own bytes. */
export function fromByteCharacters(tokens: readonly string[]): string {
  // A UTF-16 unit has at most three bytes.
  const bytes = Buffer.alloc(3 * tokens.reduce((sum, token) => sum + token.length, 0));
  let end = 0;
  for (const token of tokens) {
    const start = end;
    for (let i = 0; i < token.length; i++) {
      const byte = BYTES[token.charCodeAt(i)] ?? -1;
      if (byte < 0) {
        end = start + bytes.write(token, start, 'utf8');
        break;
      }
      bytes[end++] = byte;
    }
  }
  return bytes.toString('utf8', 0, end);
}
