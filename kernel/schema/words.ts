import { fieldsOf, isNullable, nameText, resolved, type JsonSchema } from './jsonSchema';
import { cut } from './read';

/** Levels of objects inside objects, and of anything inside anything, that are described. */
const DEPTH = 3;
const LEVELS = 8;
/** Parts of a schema, and values of an enumeration, that are described. */
const MAXIMUM_PARTS = 300;
const MAXIMUM_VALUES = 100;
/** Characters of a value. */
const MAXIMUM_VALUE = 100;

/** Returns a JSON Schema in a few words of English: "integer from 0 to 3", "array of 16 integers ≥ 0", `"up" | "down"`, `{ x: number, on?: boolean }`. */
export function typeWords(schema: JsonSchema, root: JsonSchema): string {
  return new TypeText(root).of(schema, DEPTH, 0);
}

/** Describes one schema: of one with very many parts, the first of them. */
class TypeText {
  private left = MAXIMUM_PARTS;

  constructor(private readonly root: JsonSchema) {}

  of(given: JsonSchema, depth: number, level: number): string {
    if (--this.left < 0 || level > LEVELS) return '…';
    const text = this.plain(resolved(given, this.root), depth, level + 1);
    return isNullable(given, this.root) && !/\bnull$/.test(text) ? `${text} or null` : text;
  }

  private plain(schema: JsonSchema, depth: number, level: number): string {
    if (Array.isArray(schema.enum)) return valuesText(schema.enum);
    if ('const' in schema) return valueText(schema.const);
    const members: JsonSchema[] | undefined = schema.anyOf ?? schema.oneOf;
    if (members) return this.unionText(members, depth, level);
    const type = Array.isArray(schema.type)
      ? schema.type.filter((name: string) => name !== 'null').join(' or ')
      : schema.type;
    if (type === 'integer' || type === 'number') return type + rangeWords(schema);
    if (type === 'array') return this.arrayText(schema, depth, level);
    if (schema.properties && depth > 0) return this.objectText(schema, depth - 1, level);
    return type ?? 'any value';
  }

  private unionText(members: JsonSchema[], depth: number, level: number): string {
    const values = members.filter((member) => (member as JsonSchema | null)?.type !== 'null');
    const shown = values.slice(0, MAXIMUM_VALUES).map((member) => this.of(member, depth, level));
    return [...shown, ...(values.length > MAXIMUM_VALUES ? [`${values.length - MAXIMUM_VALUES} others`] : [])].join(
      ' or ',
    );
  }

  private arrayText({ items, prefixItems, minItems, maxItems }: JsonSchema, depth: number, level: number): string {
    const listed = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : undefined;
    if (listed)
      return `[${listed
        .slice(0, MAXIMUM_VALUES)
        .map((item) => this.of(item, depth, level))
        .join(', ')}${listed.length > MAXIMUM_VALUES ? ', …' : ''}]`;
    const count = minItems !== undefined && minItems === maxItems ? ` ${minItems}` : '';
    if (!items || typeof items !== 'object' || Object.keys(items).length === 0) return `array of${count} values`;
    const text = this.of(items, depth, level);
    const plural = /^(integer|number|string|boolean|array|object)\b/.test(text) ? text.replace(/^\w+/, '$&s') : text;
    return `array of${count} ${/ or /.test(plural) && isNullable(items, this.root) ? `(${plural})` : plural}`;
  }

  private objectText(schema: JsonSchema, depth: number, level: number): string {
    const fields = fieldsOf(schema, ['metadata'], this.root);
    const shown = fields
      .slice(0, MAXIMUM_VALUES)
      .map(([name, , , own, optional]) => `${nameText(name)}${optional ? '?' : ''}: ${this.of(own, depth, level)}`);
    return `{ ${[...shown, ...(fields.length > shown.length ? [`… ${fields.length - shown.length} more`] : [])].join(', ')} }`;
  }
}

/** Returns the limits of a number, such as " from 0 to 3" or " ≥ 0"; an empty text where there are none. */
export function rangeWords({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
  if (isNumber(minimum) && isNumber(maximum)) return ` from ${minimum} to ${maximum}`;
  const low = isNumber(minimum) ? ` ≥ ${minimum}` : isNumber(exclusiveMinimum) ? ` > ${exclusiveMinimum}` : '';
  const high = isNumber(maximum) ? ` ≤ ${maximum}` : isNumber(exclusiveMaximum) ? ` < ${exclusiveMaximum}` : '';
  return low && high ? `${low} and${high}` : low + high;
}

function valuesText(values: unknown[]): string {
  const isRange =
    values.length > 3 && values.every((value, i) => Number.isInteger(value) && value === (values[0] as number) + i);
  if (isRange) return `a whole number from ${values[0]} to ${values.at(-1)}`;
  const shown = values.slice(0, MAXIMUM_VALUES).map(valueText);
  return [...shown, ...(values.length > MAXIMUM_VALUES ? [`… ${values.length - MAXIMUM_VALUES} more`] : [])].join(
    ' | ',
  );
}

function valueText(value: unknown): string {
  return cut(JSON.stringify(value), MAXIMUM_VALUE);
}
