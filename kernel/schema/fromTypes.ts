import type * as ts from 'typescript';
import type { JsonSchema } from './jsonSchema';

/**
 * Limits of depth and number for the types that are read: a type without end, such as
 * a generic type that contains itself doubled, is an error.
 */
const MAXIMUM_DEPTH = 64;
const MAXIMUM_TYPES = 20_000;

/**
 * Reads JSON Schemas from TypeScript's types: object types, unions, literals,
 * enumerations, `null`, arrays, tuples, typed arrays, records, optional
 * fields. Documentation comments become descriptions; tags such as
 * `@minimum 0`, `@maximum 9`, `@integer`, `@maxLength 100`, `@pattern …` and
 * `@default …` become keywords.
 *
 * Fails with a sentence that names the field whose type JSON does not have.
 *
 * #### Notes
 * The checker has to be one with `strictNullChecks`. JSON has no `undefined`:
 * a field that may be it may be left out, in a list it is `null`. A `number`
 * with a `bigint` beside it takes whole numbers of any size.
 */
export class TypeSchemas {
  /** Names of the types that are being read: one that occurs again inside itself refers to its definition. */
  private readonly open = new Map<ts.Type, string>();
  private readonly referred = new Set<string>();
  /** Names of the types that have a definition. */
  private readonly defined = new Map<ts.Type, string>();
  private readonly definitions = new Map<string, JsonSchema>();
  private count = 0;

  /** @param objects 'closed' where objects may have only the fields that their types name, so that a misspelt one is an error */
  constructor(
    private readonly compiler: typeof ts,
    private readonly checker: ts.TypeChecker,
    private readonly objects: 'closed' | 'open',
  ) {}

  /**
   * Returns the schema of `type`, with `title` as its name where it has none of its own;
   * `undefined` for `any`, which says nothing.
   */
  read(type: ts.Type, title: string): JsonSchema | undefined {
    if (this.has(type, 'Any', 'Unknown')) return undefined;
    for (const kept of [this.definitions, this.defined, this.referred]) kept.clear();
    this.count = 0;
    const schema = this.schema(type, title);
    const definitions = this.definitions.size > 0 ? { $defs: Object.fromEntries(this.definitions) } : {};
    return {
      title: this.nameOf(type) ?? title,
      ...this.described(type.aliasSymbol ?? type.symbol),
      ...schema,
      ...definitions,
    };
  }

  private has(type: ts.Type, ...flags: (keyof typeof ts.TypeFlags)[]): boolean {
    return flags.some((name) => (type.flags & this.compiler.TypeFlags[name]) !== 0);
  }

  private schema(type: ts.Type, path: string): JsonSchema {
    if (++this.count > MAXIMUM_TYPES || this.open.size > MAXIMUM_DEPTH)
      throw new TypeError(
        `${path}: the type is too large for a schema, or has no end. Make it simpler, or give the class a static schema.`,
      );
    if (this.has(type, 'NonPrimitive')) return { type: 'object' };
    if (this.has(type, 'Any', 'Unknown')) return {};
    if (this.has(type, 'Never')) return { not: {} };
    if (this.has(type, 'Boolean')) return { type: 'boolean' };
    if (this.has(type, 'Null', 'Undefined', 'Void')) return { type: 'null' };
    if (type.isUnion()) return this.union(type, path);
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (this.has(type, 'BooleanLiteral')) return { const: this.checker.typeToString(type) === 'true' };
    if (this.has(type, 'String', 'TemplateLiteral', 'StringMapping')) return { type: 'string' };
    if (this.has(type, 'Number', 'Enum')) return { type: 'number' };
    if (this.has(type, 'Instantiable')) return this.schema(this.constraintOf(type), path);
    if (this.has(type, 'Intersection')) return this.intersection(type as ts.IntersectionType, path);
    if (this.has(type, 'Object')) return this.named(type, path);
    throw this.unfit(type, path);
  }

  private constraintOf(type: ts.Type): ts.Type {
    const constraint = this.checker.getBaseConstraintOfType(type);
    return constraint && constraint !== type ? constraint : this.checker.getAnyType();
  }

  /** Returns the schema of an intersection. A primitive type with a brand is that primitive type. */
  private intersection(type: ts.IntersectionType, path: string): JsonSchema {
    const primitive = type.types.find((it) => this.has(it, 'StringLike', 'NumberLike', 'BooleanLike'));
    return primitive ? this.schema(primitive, path) : this.named(type, path);
  }

  private union(type: ts.UnionType, path: string): JsonSchema {
    const isLarge =
      type.types.some((it) => this.has(it, 'BigIntLike')) && type.types.some((it) => this.has(it, 'Number'));
    const members = type.types.filter((it) => !this.has(it, 'Undefined') && !(isLarge && this.has(it, 'BigIntLike')));
    // TypeScript sorts null first; people write it last.
    members.sort((a, b) => Number(this.has(a, 'Null')) - Number(this.has(b, 'Null')));
    const schemas = members.map((it) =>
      isLarge && this.has(it, 'Number') ? { type: 'number', format: 'bigint' } : this.schema(it, path),
    );
    const literals = schemas.filter((it) => 'const' in it).map((it) => it.const);
    const isBoolean = literals.includes(true) && literals.includes(false);
    const values = literals.filter((it) => !isBoolean || typeof it !== 'boolean');
    const kinds = new Set(values.map((value) => typeof value));
    const parts: JsonSchema[] = [
      ...(values.length > 0 ? [{ ...(kinds.size === 1 ? { type: typeof values[0] } : {}), enum: values }] : []),
      ...(isBoolean ? [{ type: 'boolean' }] : []),
      ...schemas.filter((it) => !('const' in it)),
    ];
    if (parts.length === 0) return { type: 'null' };
    if (parts.length === 1) return parts[0];
    // What says nothing allows everything, whatever stands beside it.
    if (parts.some((part) => Object.keys(part).length === 0)) return {};
    const simple = parts.every((part) => Object.keys(part).length === 1 && typeof part.type === 'string');
    return simple ? { type: parts.map((part) => part.type) } : { anyOf: parts };
  }

  /** Returns the schema of a type with fields. One that contains itself becomes a definition. */
  private named(type: ts.Type, path: string): JsonSchema {
    const known = this.open.get(type) ?? this.defined.get(type);
    if (known !== undefined) {
      this.referred.add(known);
      return { $ref: `#/$defs/${known}` };
    }
    const name = this.freeName(this.nameOf(type) ?? path.replace(/\W+/g, '_'));
    this.open.set(type, name);
    const schema = this.object(type, path);
    this.open.delete(type);
    if (!this.referred.has(name)) return schema;
    this.definitions.set(name, schema);
    this.defined.set(type, name);
    return { $ref: `#/$defs/${name}` };
  }

  /** Returns a name that no other definition has: two types may have one name, such as two instances of a generic one. */
  private freeName(name: string): string {
    const taken = new Set([...this.open.values(), ...this.definitions.keys()]);
    let free = name;
    for (let i = 2; taken.has(free); i++) free = `${name}${i}`;
    return free;
  }

  private object(type: ts.Type, path: string): JsonSchema {
    const { checker } = this;
    const name = type.symbol?.name ?? '';
    if (checker.isTupleType(type)) return this.tuple(type as ts.TupleTypeReference, path);
    if (checker.isArrayType(type))
      return {
        type: 'array',
        items: this.schema(this.nullForNothing(checker.getTypeArguments(type as ts.TypeReference)[0]), `${path}[]`),
      };
    if (/^(Int|Uint|Float)(8|16|32|64)(Clamped)?Array$/.test(name))
      return { type: 'array', items: { type: name.startsWith('Float') ? 'number' : 'integer' } };
    if (name === 'Date') return { type: 'string', format: 'date-time' };
    if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0 || UNFIT.includes(name))
      throw this.unfit(type, path);
    return this.fields(type, path);
  }

  /** Returns the type of a list's element with `null` in place of `undefined`, as JSON writes it. */
  private nullForNothing(type: ts.Type): ts.Type {
    return type.isUnion() && type.types.some((it) => this.has(it, 'Undefined'))
      ? this.checker.getNullableType(this.checker.getNonNullableType(type), this.compiler.TypeFlags.Null)
      : type;
  }

  private tuple(type: ts.TupleTypeReference, path: string): JsonSchema {
    const { minLength, hasRestElement, fixedLength } = type.target;
    const items = this.checker
      .getTypeArguments(type)
      .map((it, i) => this.schema(i < minLength ? this.nullForNothing(it) : it, `${path}[${i}]`));
    return {
      type: 'array',
      prefixItems: items.slice(0, fixedLength),
      minItems: minLength,
      items: hasRestElement ? items[fixedLength] : false,
    };
  }

  private fields(type: ts.Type, path: string): JsonSchema {
    const { checker, compiler } = this;
    const properties = new Map<string, JsonSchema>();
    const required: string[] = [];
    for (const symbol of checker.getPropertiesOfType(type)) {
      if (symbol.escapedName.toString().startsWith('__@')) continue; // a symbol is no key in JSON
      const field = `${path}.${symbol.name}`;
      const its = checker.getTypeOfSymbol(symbol);
      if (symbol.flags & compiler.SymbolFlags.Method) throw this.unfit(its, field);
      const mayBeAbsent =
        this.has(its, 'Undefined', 'Void') ||
        (its.isUnion() && its.types.some((it) => this.has(it, 'Undefined', 'Void')));
      const optional = (symbol.flags & compiler.SymbolFlags.Optional) !== 0 || mayBeAbsent;
      // What can only be absent is no field.
      if (optional && this.has(its, 'Undefined', 'Void', 'Never')) continue;
      properties.set(
        symbol.name,
        withTags(this.schema(its, field), { ...this.described(symbol), ...this.tags(symbol) }),
      );
      if (!optional) required.push(symbol.name);
    }
    const index = checker.getIndexInfosOfType(type).find(({ keyType }) => !this.has(keyType, 'ESSymbol'));
    return {
      type: 'object',
      ...(properties.size > 0 || !index ? { properties: Object.fromEntries(properties) } : {}),
      ...(required.length > 0 ? { required } : {}),
      ...(index
        ? { additionalProperties: this.schema(index.type, `${path}[…]`) }
        : this.objects === 'closed'
          ? { additionalProperties: false }
          : {}),
    };
  }

  private described(symbol: ts.Symbol | undefined): JsonSchema {
    const text = this.compiler.displayPartsToString(symbol?.getDocumentationComment(this.checker)).trim();
    return text === '' ? {} : { description: text };
  }

  private tags(symbol: ts.Symbol): JsonSchema {
    const found: JsonSchema = {};
    for (const { name, text } of symbol.getJsDocTags(this.checker)) {
      const value = this.compiler.displayPartsToString(text).trim();
      if (name === 'integer' || (name === 'type' && /^\{?integer\}?$/.test(value))) found.type = 'integer';
      else if (name === 'default') found.default = parsed(value);
      else if (TEXT_KEYWORDS.has(name)) found[name] = value;
      else if (NUMBER_KEYWORDS.has(name) && Number.isFinite(Number(value)) && value !== '') found[name] = Number(value);
    }
    return found;
  }

  private nameOf(type: ts.Type): string | undefined {
    const name = type.aliasSymbol?.name ?? type.symbol?.name;
    return name === undefined || name.startsWith('__') ? undefined : name;
  }

  private unfit(type: ts.Type, path: string): Error {
    const advice = this.has(type, 'BigIntLike')
      ? 'For whole numbers beyond 2⁵³ write number | bigint: those come as bigints, smaller ones as numbers.'
      : 'Use numbers, text, booleans, null, arrays and objects of them.';
    return new TypeError(`${path} is of type ${this.checker.typeToString(type)}, which JSON does not have. ${advice}`);
  }
}

/** Objects that JSON writes as `{}`. */
const UNFIT = [
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'Promise',
  'RegExp',
  'ArrayBuffer',
  'DataView',
  'BigInt64Array',
  'BigUint64Array',
];

const NUMBER_KEYWORDS = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
]);
const TEXT_KEYWORDS = new Set(['pattern', 'format']);
/** Keywords that belong to a field itself where it is a list or a union; the others limit its items or members. */
const OF_THE_FIELD = new Set(['description', 'default']);
const OF_LISTS = new Set([...OF_THE_FIELD, 'minItems', 'maxItems']);

/**
 * Returns a schema with what the field's tags say. Limits of numbers and texts belong
 * to the items of a list, and to the members of a union that are no `null`.
 */
function withTags(schema: JsonSchema, tags: JsonSchema): JsonSchema {
  const split = (own: Set<string>): [own: JsonSchema, inner: JsonSchema] => {
    const entries = Object.entries(tags);
    return [
      Object.fromEntries(entries.filter(([name]) => own.has(name))),
      Object.fromEntries(entries.filter(([name]) => !own.has(name))),
    ];
  };
  if (schema.type === 'array' && schema.items && typeof schema.items === 'object') {
    const [own, inner] = split(OF_LISTS);
    return { ...schema, items: withTags(schema.items, inner), ...own };
  }
  if (Array.isArray(schema.anyOf)) {
    const [own, inner] = split(OF_THE_FIELD);
    return { ...schema, anyOf: schema.anyOf.map((it) => (it.type === 'null' ? it : withTags(it, inner))), ...own };
  }
  // `@integer` makes of a number an integer, and leaves null beside it what it is.
  if (tags.type === 'integer' && Array.isArray(schema.type))
    return { ...schema, ...tags, type: schema.type.map((it: string) => (it === 'number' ? 'integer' : it)) };
  return { ...schema, ...tags };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
