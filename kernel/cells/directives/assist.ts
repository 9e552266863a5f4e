import type { MimeBundle } from '../../display/cellContext';
import type { Completion } from '../../jupyter/interpreter';
import type { Directive, Parameter } from './directive';
import { directives } from './registry';

/** The part of a `/** … *\/` comment between its last `@` and the cursor. */
interface Cursor {
  directive: Directive | undefined;
  /** The word that ends at the cursor: "@rew", "wei", "model=m". */
  word: string;
}

/** Returns the completions at a position in a directive; `null` when there are none. */
export function completeDirective(code: string, position: number, variables: string[]): Completion | null {
  const cursor = locate(code, position);
  if (!cursor) return null;
  const { directive, word } = cursor;
  if (word.startsWith('@')) return offer([...directives.keys()], word.slice(1), position, 'keyword');
  if (!directive) return null;
  const [name, value] = split(word);
  if (value === undefined)
    return offer(
      directive.parameters.map((it) => `${it.name}=`),
      name,
      position,
      'property',
    );
  const parameter = directive.parameters.find((it) => it.name === name);
  if (parameter?.type === 'boolean') return offer(['true', 'false'], value, position, 'keyword');
  return parameter?.type === 'variable' ? offer(variables, value, position, 'variable') : null;
}

/** Returns the documentation of a directive, or of its argument, at a position; `null` when there is none. */
export function inspectDirective(code: string, position: number): MimeBundle | null {
  const end = position + /^[\w]*/.exec(code.slice(position))![0].length;
  const cursor = locate(code, end);
  if (!cursor) return null;
  const { directive, word } = cursor;
  if (word.startsWith('@')) {
    const named = directives.get(word.slice(1));
    return named ? describe(named) : null;
  }
  const parameter = directive?.parameters.find((it) => it.name === split(word)[0]);
  return parameter ? describeParameter(parameter) : null;
}

function locate(code: string, position: number): Cursor | null {
  const start = code.lastIndexOf('/**', position - 1);
  if (start < 0) return null;
  const text = code.slice(start + 3, position);
  const tag = /@(\w*)([^@]*)$/.exec(text);
  if (text.includes('*/') || !tag) return null;
  const typing = tag[2] === '';
  return { directive: typing ? undefined : directives.get(tag[1]), word: typing ? tag[0] : /\S*$/.exec(tag[2])![0] };
}

function split(word: string): [string, string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

function offer(all: string[], typed: string, position: number, type: string): Completion | null {
  const matches = all.filter((it) => it.startsWith(typed));
  if (matches.length === 0) return null;
  return { matches, start: position - typed.length, end: position, types: matches.map(() => type) };
}

function describe({ name, documentation, parameters }: Directive): MimeBundle {
  const plain = parameters.map(({ name, type, documentation }) => `${name} (${type}): ${documentation}`);
  const markdown = parameters.map(({ name, type, documentation }) => `- \`${name}\` (${type}): ${documentation}`);
  return {
    'text/plain': [`@${name}`, documentation, '', ...plain].join('\n'),
    'text/markdown': [`**@${name}**`, documentation, markdown.join('\n')].join('\n\n'),
  };
}

function describeParameter({ name, type, documentation }: Parameter): MimeBundle {
  return {
    'text/plain': `${name} (${type}): ${documentation}`,
    'text/markdown': `**${name}** (${type}): ${documentation}`,
  };
}
