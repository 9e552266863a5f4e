/**
 * Returns a regular expression of Python as one of JavaScript that matches the same
 * whole texts. Throws for syntax that JavaScript does not have (possessive
 * quantifiers, atomic groups, conditions).
 */
export function pythonPattern(source: string): RegExp {
  const { body, flags } = leadingFlags(source);
  // By itself first, so that its brackets cannot close those around it.
  const translated = new RegExp(translate(body), flags).source;
  return new RegExp(`^(?:${translated})$`, flags);
}

/** Python's flags as JavaScript's; 'a' and 'u' change nothing for names of layers. */
const FLAGS: Record<string, string> = { i: 'i', m: 'm', s: 's', a: '', u: '' };

function leadingFlags(source: string): { body: string; flags: string } {
  const [whole, letters] = /^\(\?([imsau]+)\)/.exec(source) ?? ['', ''];
  return { body: source.slice(whole.length), flags: [...new Set(letters)].map((letter) => FLAGS[letter]).join('') };
}

/** Syntax that is written differently outside of sets of characters. */
const TOKEN = /\\.|\(\?P<|\(\?P=(\w+)\)|\(\?#[^)]*\)|\{,(?=\d*\})|\[\^?\]?|[^]/g;

function translate(source: string): string {
  let inSet = false;
  return source.replace(TOKEN, (token, name?: string) => {
    if (inSet) {
      inSet = token !== ']';
      return token.startsWith('\\') ? escape(token, source, 'a') : token === '[' ? '\\[' : token;
    }
    if (token.startsWith('\\')) return escape(token, source);
    if (token === '(?P<') return '(?<';
    if (token.startsWith('(?P=')) return reference(name!, source);
    if (token.startsWith('(?#')) return '';
    if (token === '{,') return '{0,';
    if (!token.startsWith('[')) return token;
    inSet = true;
    // A bracket that comes first in a set is one of its characters.
    return token.replace(']', '\\]');
  });
}

/** Returns a reference to a group. Throws where there is no such group: JavaScript would take it for a text. */
function reference(name: string, source: string): string {
  if (!source.includes(`(?P<${name}>`))
    throw new SyntaxError(`Invalid regular expression: ${source}: there is no group ${name}`);
  return `\\k<${name}>`;
}

/** Escapes that JavaScript writes differently. */
const ESCAPES: Record<string, string> = { A: '^', Z: '$', a: '\\x07' };

function escape(token: string, source: string, valid = 'AZa'): string {
  const letter = token[1];
  if (valid.includes(letter)) return ESCAPES[letter];
  if (/[a-zA-Z]/.test(letter) && !/[bBdDsSwWfnrtvxu]/.test(letter))
    throw new SyntaxError(`Invalid regular expression: ${source}: \\${letter} is not supported`);
  return token;
}
