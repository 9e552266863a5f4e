import { typeScriptText } from './types';
import { fieldsOf, resolved, type JsonSchema } from './jsonSchema';
import { cut } from './read';

/** A field of an action, an observation or a state: a row of a table. */
export interface SchemaField {
  /** Its path: "place.row", "plants[].height". */
  name: string;
  /** "integer", "\"spade\" | \"can\"", "Plant[]". */
  type: string;
  /** Limits in a few words: "0 … 3". */
  range: string;
  description: string;
  /** Whether it may be left out. */
  optional: boolean;
}

/** Fields inside fields are listed to this depth. */
const MAXIMUM_DEPTH = 3;
/** Fields of one table; how many more there are is said in its last row. */
const MAXIMUM_FIELDS = 60;
/** Values of an enumeration that are listed. */
const MAXIMUM_VALUES = 12;
/** Characters of a pattern or a default. */
const MAXIMUM_TEXT = 200;

/**
 * Returns the fields of an object's schema, each followed by those of the object
 * inside it.
 *
 * @param use whether the value is given to an environment, or comes from one: then
 *   defaults mean nothing
 * @param without names of outer fields that are left out
 */
export function schemaFields(
  schema: JsonSchema,
  use: 'input' | 'output',
  without: readonly string[] = [],
): SchemaField[] {
  const fields: SchemaField[] = [];
  let more = 0;
  for (const field of found(schema, schema, '', without, 0)) {
    if (fields.length === MAXIMUM_FIELDS) more++;
    else fields.push(use === 'input' ? tableField(field, schema) : filledIn(tableField(field, schema)));
  }
  return more > 0
    ? [...fields, { name: `… and ${more} more`, type: '', range: '', description: '', optional: false }]
    : fields;
}

/** A field with its schema as written (`property`) and with references resolved (`inner`). */
interface FoundField {
  path: string;
  property: JsonSchema;
  inner: JsonSchema;
  nullable: boolean;
  optional: boolean;
}

function tableField({ path, property, inner, nullable, optional }: FoundField, root: JsonSchema): SchemaField {
  const description = [property.description, inner.description].find((it) => typeof it === 'string') ?? '';
  return {
    name: path,
    type: typeName(inner, nullable, root),
    range: limitsText({ ...inner, ...property }),
    description,
    optional,
  };
}

/** Returns a field of a value that comes from an environment: defaults are filled in, so no field is optional. */
function filledIn(field: SchemaField): SchemaField {
  return { ...field, range: field.range.replace(/( · |^)default .*$/, ''), optional: false };
}

function* found(
  schema: JsonSchema,
  root: JsonSchema,
  prefix: string,
  without: readonly string[],
  depth: number,
): Generator<FoundField> {
  for (const [key, inner, nullable, property, optional] of fieldsOf(schema, without, root)) {
    const path = prefix + (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(key) ? JSON.stringify(key) : key);
    yield { path, property, inner, nullable, optional };
    if (depth >= MAXIMUM_DEPTH) continue;
    const items = inner.type === 'array' && !Array.isArray(inner.items) ? resolved(inner.items, root) : {};
    if (inner.properties) yield* found(inner, root, `${path}.`, [], depth + 1);
    else if (items.properties) yield* found(items, root, `${path}[].`, [], depth + 1);
  }
}

function typeName(schema: JsonSchema, nullable: boolean, root: JsonSchema): string {
  const text = plainName(schema, root);
  return nullable && !/\bnull\b/.test(text) ? `${text} | null` : text;
}

function plainName(schema: JsonSchema, root: JsonSchema): string {
  if (schema.properties) return typeof schema.title === 'string' ? schema.title : 'object';
  if (Array.isArray(schema.enum) && schema.enum.length > MAXIMUM_VALUES) {
    return `${typeScriptText({ enum: schema.enum.slice(0, MAXIMUM_VALUES) })} | … ${schema.enum.length - MAXIMUM_VALUES} more`;
  }
  const text = typeScriptText({ ...schema, title: undefined }, root);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Returns the limits of a value in a few words; an empty text where there are none. */
function limitsText(schema: JsonSchema): string {
  const {
    minimum,
    maximum,
    exclusiveMinimum,
    exclusiveMaximum,
    minItems,
    maxItems,
    minLength,
    maxLength,
    multipleOf,
    pattern,
  } = schema;
  const above = exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`;
  const below = exclusiveMaximum === undefined ? '' : `< ${exclusiveMaximum}`;
  const meanings =
    Array.isArray(schema.action_meanings) && !schema.description
      ? schema.action_meanings.map((name: unknown, i: number) => `${i} ${name}`).join(', ')
      : '';
  return [
    [above, span(minimum, maximum), below].filter(Boolean).join(', '),
    unit(span(minItems, maxItems), 'items'),
    unit(span(minLength, maxLength), 'characters'),
    multipleOf === undefined ? '' : `multiples of ${multipleOf}`,
    typeof pattern === 'string' ? `/${cut(pattern, MAXIMUM_TEXT)}/` : '',
    meanings,
    schema.default === undefined || schema.default === null || typeof schema.default === 'object'
      ? ''
      : `default ${cut(JSON.stringify(schema.default), MAXIMUM_TEXT)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function span(minimum: unknown, maximum: unknown): string {
  if (minimum !== undefined && maximum !== undefined)
    return minimum === maximum ? String(minimum) : `${minimum} … ${maximum}`;
  return minimum !== undefined ? `≥ ${minimum}` : maximum !== undefined ? `≤ ${maximum}` : '';
}

function unit(text: string, name: string): string {
  return text && `${text} ${name}`;
}
