import { isObject, type JsonSchema } from './jsonSchema';
import { MAXIMUM_PATTERN } from './pattern';

/*
 * Schemas come from servers, which may send anything. What is read here is a
 * schema whose parts are what JSON Schema says, and of a size that everything
 * that is made of it (types, tables, prompts, checks) can be made at once.
 */

/** Parts with a schema of their own (fields, items, members of unions), at most. */
const MAXIMUM_PARTS = 2000;
/** Values of all enumerations together, at most: a word list has some ten thousand. */
const MAXIMUM_VALUES = 20_000;
/** Characters at most: of a description, of what is only shown (a default, an unknown keyword), of a title or a field's name. */
const MAXIMUM_TEXT = 2000;
const MAXIMUM_VALUE = 10_000;
const MAXIMUM_NAME = 200;
/** Characters of all descriptions together, at most. */
const MAXIMUM_TEXTS = 400_000;

/** A schema that has been read. */
export interface ReadSchema {
  schema: JsonSchema;
  /** Parts that were left out because they are too large, in a few words each. */
  leftOut: string[];
}

/** Keyword that marks a schema by which no value can be checked: something was left out of it, or is not valid JSON Schema. */
export const INCOMPLETE = 'x-incomplete';

/** Reads what a server sent as a schema. A valid schema of ordinary size is returned unchanged. */
export function readSchema(document: unknown): ReadSchema {
  const reader = new Reader();
  const read = reader.schema(document);
  const schema = typeof read === 'object' ? read : {};
  return { schema: reader.isWhole ? schema : { ...schema, [INCOMPLETE]: true }, leftOut: [...reader.leftOut] };
}

type Read = (value: any) => unknown;

class Reader {
  readonly leftOut = new Set<string>();
  isWhole = true;
  private parts = MAXIMUM_PARTS;
  private values = MAXIMUM_VALUES;
  private texts = MAXIMUM_TEXTS;

  /** A reader for each keyword; `undefined` leaves it out. */
  private readonly keywords: Record<string, Read> = {
    // Keywords may be called as the methods of objects are.
    __proto__: null as never,
    ...named(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'], (value) =>
      this.fields(value),
    ),
    ...named(['allOf', 'anyOf', 'oneOf', 'prefixItems'], (value) => this.list(value)),
    ...named(
      [
        'additionalProperties',
        'additionalItems',
        'contains',
        'propertyNames',
        'not',
        'if',
        'then',
        'else',
        'unevaluatedItems',
        'unevaluatedProperties',
      ],
      (value) => this.part(value),
    ),
    ...named(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'], (value) =>
      Number.isFinite(value) ? value : this.odd(),
    ),
    ...named(
      [
        'minLength',
        'maxLength',
        'minItems',
        'maxItems',
        'minProperties',
        'maxProperties',
        'minContains',
        'maxContains',
      ],
      (value) => (Number.isInteger(value) && value >= 0 ? value : this.odd()),
    ),
    ...named(['title', 'format', '$comment'], (value) =>
      typeof value === 'string' ? cut(plainText(value), MAXIMUM_NAME) : undefined,
    ),
    ...named(['uniqueItems', 'deprecated', 'readOnly', 'writeOnly'], (value) =>
      typeof value === 'boolean' ? value : this.odd(),
    ),
    // What they name lies elsewhere, or depends on the way there: nothing is ever fetched.
    ...named(['$id', '$schema', '$vocabulary'], () => undefined),
    ...named(['$dynamicRef', '$recursiveRef'], () => this.odd()),
    items: (value) => (Array.isArray(value) ? this.list(value) : this.part(value)),
    multipleOf: (value) => (Number.isFinite(value) && value > 0 ? value : this.odd()),
    description: (value) => (typeof value === 'string' ? this.text(value) : undefined),
    pattern: (value) =>
      typeof value !== 'string' ? this.odd() : value.length <= MAXIMUM_PATTERN ? value : this.large('a long pattern'),
    $ref: (value) => (typeof value === 'string' && value.startsWith('#') ? value : this.odd()),
    type: (value) =>
      [value].flat().length > 0 && [value].flat().every((name) => TYPES.has(name)) ? value : this.odd(),
    required: (value) =>
      Array.isArray(value) && value.every((name) => typeof name === 'string')
        ? [...new Set(value)].slice(0, MAXIMUM_PARTS)
        : this.odd(),
    enum: (value) => this.enumeration(value),
    const: (value) => (isSmall(value) ? value : this.large('a long value')),
  };

  schema(value: unknown): JsonSchema | boolean {
    if (typeof value === 'boolean') return value;
    if (!isObject(value)) {
      this.isWhole = false;
      return {};
    }
    // Where not all can be read, the fields come before what they refer to.
    const definitions = Object.keys(value).filter((name) => ['$defs', 'definitions'].includes(name));
    const parts = new Map(
      [...Object.keys(value).filter((name) => !definitions.includes(name)), ...definitions].map((name) => [
        name,
        this.keyword(name, value[name]),
      ]),
    );
    const read = Object.keys(value).map((name) => [name, parts.get(name)] as const);
    const left = read.filter(([, part]) => part !== undefined);
    const isSame = left.length === read.length && left.every(([name, part]) => part === value[name]);
    return isSame ? value : Object.fromEntries(left);
  }

  private keyword(name: string, value: unknown): unknown {
    const read = this.keywords[name];
    if (read) return read(value);
    return isSmall(value) && name.length <= MAXIMUM_NAME ? value : undefined;
  }

  private part(value: unknown): unknown {
    if (typeof value !== 'boolean' && !isObject(value)) return this.odd();
    return --this.parts < 0 ? this.large('parts inside of parts') : this.schema(value);
  }

  private list(value: unknown): unknown {
    if (!Array.isArray(value) || value.length === 0) return this.odd();
    if (value.length > this.parts) return this.large(`a union or list of ${value.length.toLocaleString('en')} schemas`);
    const read = value.map((it) => this.part(it) ?? {});
    return read.every((it, i) => it === value[i]) ? value : read;
  }

  private fields(value: unknown): unknown {
    if (!isObject(value)) return this.odd();
    const entries = Object.entries(value);
    const most = Math.min(entries.length, Math.max(this.parts, 0));
    const read = entries
      .slice(0, most)
      .flatMap(([name, part]) =>
        name.length > MAXIMUM_NAME ? [this.large('long names')] : [[name, this.part(part) ?? {}] as const],
      )
      .filter((it) => it !== undefined);
    if (most < entries.length)
      this.large(`${(entries.length - most).toLocaleString('en')} of ${entries.length.toLocaleString('en')} fields`);
    return read.length === entries.length && read.every(([, part], i) => part === entries[i][1])
      ? value
      : Object.fromEntries(read);
  }

  private enumeration(value: unknown): unknown {
    if (!Array.isArray(value) || value.length === 0) return this.odd();
    this.values -= value.length;
    return this.values < 0 || !value.every(isSmall)
      ? this.large(`an enumeration of ${value.length.toLocaleString('en')} values`)
      : value;
  }

  private text(value: string): string | undefined {
    const text = cut(plainText(value), Math.min(MAXIMUM_TEXT, this.texts));
    this.texts -= text.length;
    return text || undefined;
  }

  /** Notes a part that is not valid JSON Schema, and leaves it out. */
  private odd(): undefined {
    this.isWhole = false;
  }

  private large(what: string): undefined {
    this.isWhole = false;
    this.leftOut.add(what);
  }
}

function named(names: string[], read: Read): Record<string, Read> {
  return Object.fromEntries(names.map((name) => [name, read]));
}

const TYPES = new Set<unknown>(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']);

function isSmall(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= MAXIMUM_VALUE;
  return typeof value !== 'object' || value === null || JSON.stringify(value).length <= MAXIMUM_VALUE;
}

/** Returns a server's text without the control characters that steer a terminal. */
export function plainText(text: string): string {
  return text.replace(
    /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    '',
  );
}

/** Returns a text cut to at most `most` characters, with "…" at the end where it was longer. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : most <= 0 ? '' : `${text.slice(0, most - 1)}…`;
}
