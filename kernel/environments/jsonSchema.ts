/** A JSON Schema, or a part of one. */
export type JsonSchema = Record<string, any>;

/** What a schema says where it refers to another part of `root`; `anyOf` with null and `allOf` of one are looked through. */
export function resolved(schema: JsonSchema | undefined, root: JsonSchema): JsonSchema {
  let part = schema ?? {};
  for (let depth = 0; depth < 20; depth++) {
    const inner = referred(part, root) ?? onlyMember(part);
    if (!inner) return part;
    const { $ref, allOf, anyOf, oneOf, ...around } = part;
    part = { ...inner, ...around };
  }
  return part;
}

function referred({ $ref }: JsonSchema, root: JsonSchema): JsonSchema | undefined {
  if (typeof $ref !== 'string' || !$ref.startsWith('#')) return undefined;
  const path = $ref.slice(1).split('/').slice(1).map((name) => decodeURIComponent(name).replace(/~1/g, '/').replace(/~0/g, '~'));
  return path.reduce<any>((part, name) => part?.[name], root);
}

function onlyMember({ allOf, anyOf, oneOf }: JsonSchema): JsonSchema | undefined {
  const members: JsonSchema[] = (allOf ?? anyOf ?? oneOf ?? []).filter((member: JsonSchema) => allOf || member?.type !== 'null');
  return members.length === 1 ? members[0] : undefined;
}

/** The fields of an object's schema, resolved, without those that OpenEnv adds to every observation and action. */
export function fieldsOf(schema: JsonSchema, without: readonly string[] = ['metadata', 'done', 'reward']): [name: string, field: JsonSchema][] {
  const { properties = {} } = resolved(schema, schema);
  return Object.entries<JsonSchema>(properties)
    .filter(([name]) => !without.includes(name))
    .map(([name, field]) => [name, resolved(field, schema)]);
}

/** The values of a schema that allows only so many, in their order; undefined where it allows others. */
export function finiteValues(schema: JsonSchema): (string | number | boolean)[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum.filter((value) => value !== null);
  if ('const' in schema) return [schema.const];
  const members: JsonSchema[] = schema.anyOf ?? schema.oneOf ?? [];
  if (members.length > 0 && members.every((member) => 'const' in member)) return members.map((member) => member.const);
  if (schema.type === 'boolean') return [false, true];
  const { minimum = schema.exclusiveMinimum + 1, maximum = schema.exclusiveMaximum - 1 } = schema;
  if (schema.type !== 'integer' || !(maximum - minimum < MOST_VALUES)) return undefined;
  return Array.from({ length: maximum - minimum + 1 }, (_, i) => minimum + i);
}

/** A range of whole numbers with more values is none to choose from one by one. */
const MOST_VALUES = 256;
