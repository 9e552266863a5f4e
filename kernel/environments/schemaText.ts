import { fieldsOf, resolved, type JsonSchema } from './jsonSchema';

/** Levels of objects inside objects that are told. */
const DEPTH = 3;

/** A JSON Schema in a few words: "integer from 0 to 3", "array of 16 integers ≥ 0", `"up" | "down"`, `{ x: number, on?: boolean }`. */
export function typeText(given: JsonSchema, root: JsonSchema, depth = DEPTH): string {
  const schema = resolved(given, root);
  if (Array.isArray(schema.enum)) return valuesText(schema.enum);
  if ('const' in schema) return JSON.stringify(schema.const);
  const members: JsonSchema[] | undefined = schema.anyOf ?? schema.oneOf;
  if (members) return members.map((member) => typeText(member, root, depth)).join(' or ');
  const type = Array.isArray(schema.type) ? schema.type.filter((name: string) => name !== 'null').join(' or ') : schema.type;
  if (type === 'integer' || type === 'number') return type + rangeText(schema);
  if (type === 'array') return arrayText(schema, root, depth);
  if (schema.properties && depth > 0) return objectText(schema, root, depth - 1);
  return type ?? 'any value';
}

/** " from 0 to 3", " ≥ 0", or nothing. */
export function rangeText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
  if (isNumber(minimum) && isNumber(maximum)) return ` from ${minimum} to ${maximum}`;
  const low = isNumber(minimum) ? ` ≥ ${minimum}` : isNumber(exclusiveMinimum) ? ` > ${exclusiveMinimum}` : '';
  const high = isNumber(maximum) ? ` ≤ ${maximum}` : isNumber(exclusiveMaximum) ? ` < ${exclusiveMaximum}` : '';
  return low && high ? `${low} and${high}` : low + high;
}

function valuesText(values: unknown[]): string {
  const isRange = values.length > 3 && values.every((value, i) => Number.isInteger(value) && value === (values[0] as number) + i);
  if (isRange) return `a whole number from ${values[0]} to ${values.at(-1)}`;
  return values.map((value) => JSON.stringify(value)).join(' | ');
}

function arrayText({ items, prefixItems, minItems, maxItems }: JsonSchema, root: JsonSchema, depth: number): string {
  if (Array.isArray(prefixItems)) return `[${prefixItems.map((item) => typeText(item, root, depth)).join(', ')}]`;
  const count = minItems !== undefined && minItems === maxItems ? ` ${minItems}` : '';
  if (!items || Object.keys(items).length === 0) return `array of${count} values`;
  const text = typeText(items, root, depth);
  return `array of${count} ${/^(integer|number|string|boolean|array|object)\b/.test(text) ? text.replace(/^\w+/, '$&s') : text}`;
}

function objectText(schema: JsonSchema, root: JsonSchema, depth: number): string {
  const required: string[] = schema.required ?? [];
  const fields = fieldsOf({ ...schema, $defs: root.$defs, definitions: root.definitions }, ['metadata']);
  return `{ ${fields.map(([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${typeText(field, root, depth)}`).join(', ')} }`;
}
