/** A JSON Schema, or a part of one. */
export type JsonSchema = Record<string, any>;

/**
 * Returns the part of a document that a reference (`#/…`) points to; `undefined` where
 * there is none, or the reference leads outside.
 */
export function resolve(root: JsonSchema, ref: string): any {
  if (!ref.startsWith('#')) return undefined;
  const parts = ref
    .slice(1)
    .split('/')
    .slice(1)
    .map((part) => decodePart(part).replace(/~1/g, '/').replace(/~0/g, '~'));
  return parts.reduce(
    (value: any, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? value[part] : undefined,
    root,
  );
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** References and unions of one member that are followed, at most. */
const MAXIMUM_STEPS = 20;

/** Returns a schema without references to other parts of `root`; `anyOf` with null and `allOf` of one are replaced by what they hold. */
export function resolved(schema: JsonSchema | undefined, root: JsonSchema): JsonSchema {
  let part = asObject(schema);
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    const inner = typeof part.$ref === 'string' ? resolve(root, part.$ref) : onlyMember(part);
    if (typeof inner !== 'object' || inner === null) return part;
    const { $ref, allOf, anyOf, oneOf, ...around } = part;
    part = { ...inner, ...around };
  }
  return part;
}

function onlyMember({ allOf, anyOf, oneOf }: JsonSchema): unknown {
  const members: JsonSchema[] = (allOf ?? anyOf ?? oneOf ?? []).filter(
    (member: JsonSchema) => allOf || !isNull(member),
  );
  return members.length === 1 ? members[0] : undefined;
}

/** Returns whether a schema allows `null`. */
export function isNullable(schema: JsonSchema | undefined, root: JsonSchema, seen = new Set<unknown>()): boolean {
  const { $ref, type, allOf, anyOf, oneOf, enum: values } = asObject(schema);
  if (seen.has(schema)) return false;
  seen.add(schema);
  if (type === 'null' || (Array.isArray(type) && type.includes('null')) || values?.includes(null)) return true;
  const members: JsonSchema[] =
    anyOf ??
    oneOf ??
    (allOf?.length === 1 ? allOf : undefined) ??
    (typeof $ref === 'string' ? [resolve(root, $ref)] : []);
  return members.some((member) => isNullable(member, root, seen));
}

function isNull(schema: unknown): boolean {
  return asObject(schema).type === 'null';
}

/** Returns the schema; an empty one where it is `true` or `false`. */
function asObject(schema: unknown): JsonSchema {
  return typeof schema === 'object' && schema !== null ? schema : {};
}

/**
 * A field of an object: its name, its schema with references resolved, whether it may
 * be `null`, its schema as written, whether it may be left out.
 */
export type Field = [name: string, field: JsonSchema, nullable: boolean, own: JsonSchema, optional: boolean];

/** Returns the fields of an object's schema, a part of `root`, without those that OpenEnv adds to every observation and action. */
export function fieldsOf(
  schema: JsonSchema,
  without: readonly string[] = ['metadata', 'done', 'reward'],
  root = schema,
): Field[] {
  const { properties = {}, required } = resolved(schema, root);
  const needed = new Set<unknown>(Array.isArray(required) ? required : []);
  return Object.entries<JsonSchema>(properties)
    .filter(([name]) => !without.includes(name))
    .map(([name, field]) => [name, resolved(field, root), isNullable(field, root), asObject(field), !needed.has(name)]);
}

/** Returns all values that a schema allows, `null` aside, in its order; `undefined` where they cannot be listed. */
export function finiteValues(schema: JsonSchema): (string | number | boolean)[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum.filter((value) => value !== null);
  if ('const' in schema) return [schema.const];
  const members: JsonSchema[] = (schema.anyOf ?? schema.oneOf ?? []).filter((member: JsonSchema) => !isNull(member));
  if (members.length > 0 && members.every((member) => 'const' in asObject(member)))
    return members.map((member) => member.const);
  if (schema.type === 'boolean') return [false, true];
  const { minimum = schema.exclusiveMinimum + 1, maximum = schema.exclusiveMaximum - 1 } = schema;
  if (
    schema.type !== 'integer' ||
    !Number.isSafeInteger(minimum) ||
    !Number.isSafeInteger(maximum) ||
    !(minimum <= maximum) ||
    maximum - minimum >= MOST_VALUES
  )
    return undefined;
  return Array.from({ length: maximum - minimum + 1 }, (_, i) => minimum + i);
}

/** Whole numbers of a range that are listed one by one, at most. */
const MOST_VALUES = 256;

/** Returns a field's name as written in a program: quoted where it is no identifier. */
export function nameText(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name);
}

/** Returns whether a value is an object, neither `null` nor a list. */
export function isObject(value: unknown): value is Record<string, any> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
