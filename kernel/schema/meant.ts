import { finiteValues, isObject, resolve, resolved, type JsonSchema } from './jsonSchema';

/*
 * Of a union, a value that fits no member mostly means one of them: by the
 * field that distinguishes them, or by the only one of its type. What the others
 * want helps nobody.
 */

/** References that are followed, at most, on the way to one part, elements of a list looked at so many. */
const MAXIMUM_STEPS = 20;
const MAXIMUM_ELEMENTS = 100;

/**
 * Returns the schema as it applies to one value: each union is replaced by the member
 * that the value means, or by its members, the closest first.
 */
export function meantSchema(schema: JsonSchema, value: unknown): JsonSchema {
  return { ...meant(schema, value, schema, 0), ...definitions(schema) };
}

function definitions({ $defs, definitions }: JsonSchema): JsonSchema {
  return { ...($defs ? { $defs } : {}), ...(definitions ? { definitions } : {}) };
}

function meant(schema: any, value: unknown, root: JsonSchema, step: number): any {
  if (typeof schema !== 'object' || schema === null || step > MAXIMUM_STEPS) return schema;
  if (typeof schema.$ref === 'string') {
    const { $ref, ...around } = schema;
    const target = resolve(root, $ref);
    return typeof target === 'object' && target !== null
      ? meant({ ...target, ...around }, value, root, step + 1)
      : schema;
  }
  const { anyOf, oneOf = anyOf, discriminator, ...rest } = schema;
  if (Array.isArray(oneOf)) {
    const members = meantMembers(oneOf, value, root, discriminator?.propertyName);
    const inner = members.map((member) => meant(member, value, root, step + 1));
    const union = inner.length === 1 ? inner[0] : { anyOf: inner };
    return { ...meant(rest, value, root, step), allOf: [...(rest.allOf ?? []), union] };
  }
  const all = Array.isArray(rest.allOf)
    ? { allOf: rest.allOf.map((it: unknown) => meant(it, value, root, step + 1)) }
    : {};
  return { ...schema, ...all, ...meantItems(schema, value, root), ...meantFields(schema, value, root) };
}

function meantFields(
  { properties = {}, additionalProperties }: JsonSchema,
  value: unknown,
  root: JsonSchema,
): JsonSchema {
  if (!isObject(value)) return {};
  const others =
    typeof additionalProperties === 'object' && additionalProperties !== null
      ? Object.keys(value)
          .filter((name) => !Object.hasOwn(properties, name))
          .slice(0, MAXIMUM_ELEMENTS)
      : [];
  const own = Object.entries(properties).map(([name, schema]) => [
    name,
    Object.hasOwn(value, name) ? meant(schema, value[name], root, 0) : schema,
  ]);
  const fields = [...own, ...others.map((name) => [name, meant(additionalProperties, value[name], root, 0)])];
  return fields.length > 0 ? { properties: Object.fromEntries(fields) } : {};
}

/** Returns keywords for the elements of a list, each of which may mean another member. */
function meantItems({ items, prefixItems = [] }: JsonSchema, value: unknown, root: JsonSchema): JsonSchema {
  if (!Array.isArray(value) || Array.isArray(items)) return {};
  const elements = value
    .slice(0, MAXIMUM_ELEMENTS)
    .map((element, i) => meant(prefixItems[i] ?? items ?? true, element, root, 0));
  return elements.length > 0 ? { prefixItems: [...elements, ...prefixItems.slice(elements.length)] } : {};
}

/** Returns the members of a union that a value may mean, the closest first. */
export function meantMembers(members: unknown[], value: unknown, root: JsonSchema, tag?: string): JsonSchema[] {
  const all = members
    .filter(isObject)
    .map((member) => ({ member: member as JsonSchema, plain: resolved(member, root) }));
  const ofType = all.filter(({ plain }) => allows(plain, value));
  const candidates = ofType.length > 0 ? ofType : all;
  if (candidates.length < 2 || !isObject(value)) return candidates.map(({ member }) => member);
  const tagged =
    tag === undefined
      ? tagOf(
          candidates.map(({ plain }) => plain),
          root,
        )
      : tag;
  if (tagged !== undefined && Object.hasOwn(value, tagged)) {
    const tags = candidates.map(({ plain }) => tagsOf(plain, tagged, root) ?? []);
    const chosen = candidates.filter((_, i) => tags[i].includes(value[tagged]));
    // No member has this one: that is all there is to say.
    if (chosen.length === 0) return [{ properties: { [tagged]: { enum: [...new Set(tags.flat())] } } }];
    return chosen.map(({ member }) => member);
  }
  // Where the union says which field distinguishes its members, none can do without.
  if (tag !== undefined) return [{ required: [tag] }];
  const close = (plain: JsonSchema): number => closeness(plain, value);
  return [...candidates].sort((a, b) => close(b.plain) - close(a.plain)).map(({ member }) => member);
}

/** Returns the name of the field whose values differ from member to member, if there is one. */
function tagOf(members: JsonSchema[], root: JsonSchema): string | undefined {
  return Object.keys(members[0].properties ?? {}).find((name) => {
    const tags = members.map((member) => tagsOf(member, name, root));
    const values = tags.flatMap((it) => it ?? []);
    return tags.every((it) => it !== undefined) && new Set(values).size === values.length;
  });
}

/** Returns the values that a field of a member may have, where it has a constant or one of a list. */
function tagsOf({ properties }: JsonSchema, name: string, root: JsonSchema): unknown[] | undefined {
  if (!properties || !Object.hasOwn(properties, name)) return undefined;
  const field = resolved(properties[name], root);
  return 'const' in field || Array.isArray(field.enum) ? finiteValues(field) : undefined;
}

/** Returns how well an object fits a member: the number of known fields less the missing and unknown ones. */
function closeness({ properties = {}, required = [] }: JsonSchema, value: object): number {
  const known = Object.keys(value).filter((name) => Object.hasOwn(properties, name)).length;
  const missing = (required as string[]).filter((name) => !Object.hasOwn(value, name)).length;
  return 2 * known - missing - Object.keys(value).length;
}

/** Returns whether a schema allows values of this JSON type, its limits aside. */
function allows(
  { type, properties, items, prefixItems, enum: values, const: only }: JsonSchema,
  value: unknown,
): boolean {
  if (type !== undefined)
    return [type].flat().some((name) => name === typeOf(value) || (name === 'integer' && typeOf(value) === 'number'));
  if (properties) return isObject(value);
  if (items || prefixItems) return Array.isArray(value);
  const known: unknown[] | undefined = only === undefined ? values : [only];
  return !known || known.some((it) => typeOf(it) === typeOf(value));
}

/** Returns the JSON type of a value. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value === 'bigint' ? 'number' : typeof value;
}

/** A problem that a server found in a value, as pydantic reports it. */
interface Located {
  loc?: unknown;
}

/**
 * Returns the problems of the members that a value means. pydantic reports those of
 * all members of a union that nothing distinguishes, and names the member within the
 * location: `["command", "Move", "dx"]`.
 */
export function meantProblems<Problem extends Located>(
  problems: Problem[],
  schema: JsonSchema,
  value: unknown,
): Problem[] {
  const isMeant = ({ loc }: Problem): boolean => !Array.isArray(loc) || leads(loc, schema, value, schema, 0);
  const left = problems.filter(isMeant);
  return left.length > 0 ? left : problems;
}

/** Returns whether a location lies within members that the value means. An unknown location counts as meant. */
function leads(
  [key, ...rest]: (string | number)[],
  schema: unknown,
  value: unknown,
  root: JsonSchema,
  step: number,
): boolean {
  if (key === undefined || !isObject(schema) || step > MAXIMUM_STEPS) return true;
  const plain = resolved(schema, root);
  const members: unknown[] = plain.oneOf ?? plain.anyOf ?? [];
  const named = members.find((member) => isNamed(member, String(key), root, plain.discriminator?.propertyName));
  if (named)
    return (
      meantMembers(members, value, root, plain.discriminator?.propertyName).includes(named as JsonSchema) &&
      leads(rest, named, value, root, step + 1)
    );
  const inner =
    typeof key === 'number'
      ? (plain.prefixItems?.[key] ?? plain.items)
      : (plain.properties?.[key] ?? plain.additionalProperties);
  return leads(rest, inner, (value as Record<string, unknown> | null | undefined)?.[key], root, step);
}

/** pydantic's names of types that are not models. */
const NAMES: Record<string, RegExp> = {
  integer: /^int$/,
  number: /^(float|decimal)$/,
  string: /^(str|constrained-str)$/,
  boolean: /^bool$/,
  array: /^(list|tuple|set)\b/,
  object: /^dict\b/,
};

/**
 * Returns whether pydantic gives a member this name: by its model, the value of the
 * field that distinguishes members, or its type.
 */
function isNamed(member: unknown, name: string, root: JsonSchema, tag: string | undefined): boolean {
  if (!isObject(member)) return false;
  const plain = resolved(member, root);
  if (typeof member.$ref === 'string' && member.$ref.endsWith(`/${name}`)) return true;
  return (
    plain.title === name ||
    (tag !== undefined && (tagsOf(plain, tag, root) ?? []).some((it) => String(it) === name)) ||
    (typeof plain.type === 'string' && (NAMES[plain.type]?.test(name) ?? false))
  );
}
