import type * as ts from 'typescript';

export type JsonSchema = Record<string, any>;

/**
 * Reads JSON Schemas from TypeScript's types: object types (closed, so that a
 * misspelt field is an error), unions of literals, arrays, tuples, typed
 * arrays, records, optional fields. Documentation comments become
 * descriptions; tags such as `@minimum 0`, `@maximum 9`, `@integer`,
 * `@maxLength 100`, `@pattern …` and `@default …` become keywords.
 *
 * Fails with a sentence that names the field whose type JSON does not have.
 *
 * #### Notes
 * Without `strict`, TypeScript itself drops `null` from `number | null`.
 */
export class TypeSchemas {
  /** Names of the types that are being read: one that is met again refers to its definition. */
  private readonly open = new Map<ts.Type, string>();
  private readonly referred = new Set<string>();
  private definitions: Record<string, JsonSchema> = {};

  constructor(
    private readonly compiler: typeof ts,
    private readonly checker: ts.TypeChecker,
  ) {}

  /** The schema of `type`, which is called `title`. `undefined` for `any`, which says nothing. */
  read(type: ts.Type, title: string): JsonSchema | undefined {
    if (type.flags & (this.compiler.TypeFlags.Any | this.compiler.TypeFlags.Unknown)) return undefined;
    this.definitions = {};
    this.referred.clear();
    const schema = this.schema(type, title);
    const definitions = Object.keys(this.definitions).length > 0 ? { $defs: this.definitions } : {};
    return { title: this.nameOf(type) ?? title, ...this.described(type.aliasSymbol ?? type.symbol), ...schema, ...definitions };
  }

  private schema(type: ts.Type, path: string): JsonSchema {
    const { TypeFlags } = this.compiler;
    const { flags } = type;
    if (flags & (TypeFlags.Any | TypeFlags.Unknown | TypeFlags.NonPrimitive)) return flags & TypeFlags.NonPrimitive ? { type: 'object' } : {};
    if (flags & TypeFlags.Boolean) return { type: 'boolean' };
    if (flags & TypeFlags.Null) return { type: 'null' };
    if (type.isUnion()) return this.union(type, path);
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (flags & TypeFlags.BooleanLiteral) return { const: this.checker.typeToString(type) === 'true' };
    if (flags & (TypeFlags.String | TypeFlags.TemplateLiteral)) return { type: 'string' };
    if (flags & TypeFlags.Number) return { type: 'number' };
    if (flags & TypeFlags.TypeParameter) return this.schema(this.checker.getBaseConstraintOfType(type) ?? this.checker.getAnyType(), path);
    if (flags & TypeFlags.Intersection) {
      const primitive = (type as ts.IntersectionType).types.find((it) => it.flags & (TypeFlags.StringLike | TypeFlags.NumberLike | TypeFlags.BooleanLike));
      return primitive ? this.schema(primitive, path) : this.named(type, path);
    }
    if (flags & TypeFlags.Object) return this.named(type, path);
    throw this.unfit(type, path);
  }

  private union(type: ts.UnionType, path: string): JsonSchema {
    const members = type.types.filter((it) => !(it.flags & this.compiler.TypeFlags.Undefined));
    const schemas = members.map((it) => this.schema(it, path));
    const literals = schemas.filter((it) => 'const' in it).map((it) => it.const);
    const isBoolean = literals.includes(true) && literals.includes(false);
    const values = literals.filter((it) => !isBoolean || typeof it !== 'boolean');
    const kinds = new Set(values.map((value) => typeof value));
    const parts = [
      ...(values.length > 0 ? [{ ...(kinds.size === 1 ? { type: typeof values[0] } : {}), enum: values }] : []),
      ...(isBoolean ? [{ type: 'boolean' }] : []),
      ...schemas.filter((it) => !('const' in it)),
    ];
    if (parts.length === 1) return parts[0];
    const simple = parts.every((part) => Object.keys(part).length === 1 && typeof (part as JsonSchema).type === 'string');
    return simple ? { type: parts.map((part) => (part as JsonSchema).type) } : { anyOf: parts };
  }

  /** A type with fields; one that contains itself becomes a definition. */
  private named(type: ts.Type, path: string): JsonSchema {
    const known = this.open.get(type);
    if (known !== undefined) {
      this.referred.add(known);
      return { $ref: `#/$defs/${known}` };
    }
    const name = this.nameOf(type) ?? path.replace(/\W+/g, '_');
    this.open.set(type, name);
    const schema = this.object(type, path);
    this.open.delete(type);
    if (!this.referred.has(name)) return schema;
    this.definitions[name] = schema;
    return { $ref: `#/$defs/${name}` };
  }

  private object(type: ts.Type, path: string): JsonSchema {
    const { checker } = this;
    const name = type.symbol?.name ?? '';
    if (checker.isTupleType(type)) return this.tuple(type as ts.TupleTypeReference, path);
    if (checker.isArrayType(type)) return { type: 'array', items: this.schema(checker.getTypeArguments(type as ts.TypeReference)[0], `${path}[]`) };
    if (/^(Int|Uint|Float)(8|16|32|64)(Clamped)?Array$/.test(name)) return { type: 'array', items: { type: name.startsWith('Float') ? 'number' : 'integer' } };
    if (name === 'Date') return { type: 'string', format: 'date-time' };
    if (type.getCallSignatures().length > 0 || ['Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'RegExp'].includes(name)) throw this.unfit(type, path);
    return this.fields(type, path);
  }

  private tuple(type: ts.TupleTypeReference, path: string): JsonSchema {
    const { minLength, hasRestElement, fixedLength } = type.target;
    const items = this.checker.getTypeArguments(type).map((it, i) => this.schema(it, `${path}[${i}]`));
    return { type: 'array', prefixItems: items.slice(0, fixedLength), minItems: minLength, items: hasRestElement ? items[fixedLength] : false };
  }

  private fields(type: ts.Type, path: string): JsonSchema {
    const { checker, compiler } = this;
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const symbol of checker.getPropertiesOfType(type)) {
      if (symbol.flags & compiler.SymbolFlags.Method) throw this.unfit(checker.getTypeOfSymbol(symbol), `${path}.${symbol.name}`);
      const optional = (symbol.flags & compiler.SymbolFlags.Optional) !== 0;
      properties[symbol.name] = withTags(this.schema(checker.getTypeOfSymbol(symbol), `${path}.${symbol.name}`), { ...this.described(symbol), ...this.tags(symbol) });
      if (!optional) required.push(symbol.name);
    }
    const index = checker.getIndexInfosOfType(type)[0];
    return {
      type: 'object',
      ...(Object.keys(properties).length > 0 || !index ? { properties } : {}),
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: index ? this.schema(index.type, `${path}[…]`) : false,
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
    return new TypeError(`${path} is of type ${this.checker.typeToString(type)}, which JSON does not have. Use numbers, text, booleans, null, arrays and objects of them.`);
  }
}

const NUMBER_KEYWORDS = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'minItems', 'maxItems']);
const TEXT_KEYWORDS = new Set(['pattern', 'format']);

/** Limits of numbers and texts belong to the items where the field is a list of them. */
function withTags(schema: JsonSchema, tags: JsonSchema): JsonSchema {
  if (schema.type !== 'array' || !schema.items || typeof schema.items !== 'object') return { ...schema, ...tags };
  const own = Object.entries(tags).filter(([name]) => ['description', 'default', 'minItems', 'maxItems'].includes(name));
  const ofItems = Object.entries(tags).filter(([name]) => !['description', 'default', 'minItems', 'maxItems'].includes(name));
  return { ...schema, items: { ...schema.items, ...Object.fromEntries(ofItems) }, ...Object.fromEntries(own) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
