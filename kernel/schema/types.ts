import { nameText, resolve, type JsonSchema } from './jsonSchema';

/** Characters of declarations, at most; longer ones would keep the type checker busy for seconds: then all is `any`. */
const MAXIMUM_LENGTH = 400_000;
/** Levels of a schema that are declared; what is deeper is `any`. */
const MAXIMUM_DEPTH = 40;

/** A schema to be declared as a type. */
interface Declared {
  schema: JsonSchema;
  /** Its name, where it has no title. */
  name: string;
  /** `input`: given to an environment. `output`: comes from one, where fields with a default are always present. */
  use: 'input' | 'output';
}

/**
 * Returns TypeScript declarations of several JSON Schemas, as pydantic and {@link
 * TypeSchemas} make them, and the name of each one's type; all are `any` where the
 * declarations are too long. Descriptions become documentation, limits become its tags
 * (`@minimum 0`).
 */
export function declareTypes(schemas: Declared[]): { declarations: string; types: string[] } {
  const writer = new TypeWriter();
  const types = schemas.map(({ schema, name, use }) => writer.write(schema, name, use));
  const declarations = writer.declarations.join('\n');
  return declarations.length > MAXIMUM_LENGTH
    ? { declarations: '', types: types.map(() => 'any') }
    : { declarations, types };
}

/** Returns the type of a schema as a TypeScript expression for people to read: it says `integer`. */
export function typeScriptText(schema: JsonSchema, root: JsonSchema = schema): string {
  return new TypeWriter().inline(schema, root);
}

/** A schema document that is being declared, with the names of its definitions. */
interface Document {
  root: JsonSchema;
  rootName: string;
  /** `words`: for people to read, with `integer` as a type. */
  use: Declared['use'] | 'words';
  /** Name of the type of each reference: `#/$defs/Color` → "Color". */
  names: Map<string, string>;
}

class TypeWriter {
  readonly declarations: string[] = [];
  /** Names that are taken; `Array` is used by the declarations themselves. */
  private readonly taken = new Set(['Array']);
  private depth = 0;

  /** Declares the type of a schema and returns its name. */
  write(schema: JsonSchema, fallback: string, use: Document['use']): string {
    if (typeof schema !== 'object' || schema === null) return 'any';
    const rootName = this.name(typeof schema.title === 'string' ? schema.title : fallback, fallback);
    const document: Document = { root: schema, rootName, use, names: new Map() };
    if (typeof schema.$ref === 'string' && schema.$ref !== '#') {
      this.taken.delete(rootName);
      return this.reference(schema.$ref, document);
    }
    this.declare(rootName, schema, document);
    return rootName;
  }

  /** Returns the type of a schema in one expression: definitions are written by their names alone. */
  inline(schema: JsonSchema, root: JsonSchema): string {
    const names = new Map(
      Object.keys({ ...root?.definitions, ...root?.$defs }).flatMap((name) => [
        [`#/$defs/${name}`, name],
        [`#/definitions/${name}`, name],
      ]),
    );
    return this.type(schema, { root, rootName: 'object', use: 'words', names: names as Map<string, string> });
  }

  private declare(name: string, schema: JsonSchema, document: Document): void {
    // Its place comes before those of the types that it refers to.
    const place = this.declarations.push('') - 1;
    const type = this.type(schema, document);
    const head = isObject(schema) && type.startsWith('{') ? `interface ${name} ${type}` : `type ${name} = ${type};`;
    this.declarations[place] = `${comment(schema, '')}export ${head}`;
  }

  private type(schema: unknown, document: Document): string {
    if (schema === false) return 'never';
    if (typeof schema !== 'object' || schema === null || this.depth >= MAXIMUM_DEPTH) return 'any';
    this.depth++;
    try {
      return this.typeOf(schema, document);
    } finally {
      this.depth--;
    }
  }

  private typeOf(schema: JsonSchema, document: Document): string {
    if (typeof schema.$ref === 'string') return this.reference(schema.$ref, document);
    if ('const' in schema) return literal(schema.const);
    if (Array.isArray(schema.enum)) return union(schema.enum.map(literal));
    const members = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(members) || Array.isArray(schema.allOf)) {
      const parts = (schema.allOf ?? []).map((it: unknown) => this.type(it, document));
      if (Array.isArray(members)) parts.push(union(members.map((it) => this.type(it, document))));
      if (schema.properties) parts.push(this.object(schema, document));
      return parts.length === 1 ? parts[0] : parts.map((it: string) => `(${it})`).join(' & ');
    }
    if (Array.isArray(schema.type))
      return union(schema.type.map((type: unknown) => this.type({ ...schema, type }, document)));
    return this.plain(schema, document);
  }

  private plain(schema: JsonSchema, document: Document): string {
    switch (schema.type) {
      case 'string':
      case 'boolean':
      case 'null':
        return schema.type;
      case 'number':
      case 'integer':
        if (document.use === 'words') return schema.type;
        return isLarge(schema) ? 'number | bigint' : 'number';
      case 'array':
        return this.array(schema, document);
    }
    if (hasFields(schema)) return this.object(schema, document);
    return schema.items || schema.prefixItems ? this.array(schema, document) : 'any';
  }

  private array(schema: JsonSchema, document: Document): string {
    // Before 2020-12, tuples were lists in `items`.
    const listed = Array.isArray(schema.items) ? schema.items : schema.prefixItems;
    const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
    if (!Array.isArray(listed)) {
      const items = this.type(schema.items ?? true, document);
      return /^\w+(\[\])*$/.test(items) ? `${items}[]` : document.use === 'words' ? `(${items})[]` : `Array<${items}>`;
    }
    const required = schema.minItems ?? 0;
    const parts = listed.map((it: unknown, i: number) =>
      this.optional(this.type(it, document), i < required || document.use === 'output'),
    );
    const closed = rest === false || schema.maxItems <= listed.length;
    return `[${[...parts, ...(closed ? [] : [`...Array<${this.type(rest ?? true, document)}>`])].join(', ')}]`;
  }

  private optional(type: string, required: boolean): string {
    return required ? type : `(${type})?`;
  }

  private object(schema: JsonSchema, document: Document): string {
    const { properties = {}, additionalProperties, patternProperties } = schema;
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const names = Object.keys(properties);
    const others =
      patternProperties ??
      (additionalProperties === undefined && names.length > 0 ? false : (additionalProperties ?? true));
    if (names.length === 0)
      return others === false ? '{}' : `{ [field: string]: ${this.type(patternProperties ? true : others, document)} }`;
    const fields = names.map((name) => {
      const property = properties[name];
      const isThere =
        required.has(name) ||
        (document.use === 'output' && typeof property === 'object' && property !== null && 'default' in property);
      return `${comment(this.described(property, document), '  ')}  ${nameText(name)}${isThere ? '' : '?'}: ${indent(this.type(property, document))};\n`;
    });
    // The type of other fields would have to fit the named ones, too.
    const index = others === false ? '' : '  [field: string]: any;\n';
    return `{\n${fields.join('')}${index}}`;
  }

  /** Returns a field's schema; one without a description takes that of the schema that it refers to. */
  private described(property: JsonSchema, document: Document): JsonSchema {
    if (typeof property?.$ref !== 'string' || property.description) return property;
    const { description } = resolve(document.root, property.$ref) ?? {};
    return { description, ...property };
  }

  private reference(ref: string, document: Document): string {
    if (ref === '#') return document.root.$ref === '#' ? 'any' : document.rootName;
    const known = document.names.get(ref);
    if (known) return known;
    const schema = resolve(document.root, ref);
    if (typeof schema !== 'object' || schema === null) return 'any';
    const name = this.name(ref.split('/').at(-1)!, 'Type');
    document.names.set(ref, name);
    this.declare(name, schema, document);
    return name;
  }

  /** Returns a name for a type that no other has. It begins with a capital letter, so that it is no keyword. */
  private name(wanted: string, fallback: string): string {
    const word = wanted.replace(/[^\p{ID_Continue}$]+/gu, '_').replace(/^_+|_+$/g, '') || fallback;
    const base = /^[\p{ID_Start}$]/u.test(word) ? word[0].toUpperCase() + word.slice(1) : `_${word}`;
    let name = base;
    for (let i = 2; this.taken.has(name); i++) name = `${base}${i}`;
    this.taken.add(name);
    return name;
  }
}

/** Returns whether a schema allows integers beyond those that a JavaScript number holds exactly. */
function isLarge({ type, format, minimum, maximum }: JsonSchema): boolean {
  if (format === 'bigint') return true;
  return (
    type === 'integer' &&
    (format === 'int64' ||
      format === 'uint64' ||
      minimum < -Number.MAX_SAFE_INTEGER ||
      maximum > Number.MAX_SAFE_INTEGER)
  );
}

/** Returns whether a schema names the fields of an object. */
function hasFields({ type, properties, additionalProperties, patternProperties }: JsonSchema): boolean {
  if (type !== undefined) return type === 'object';
  return properties !== undefined || additionalProperties !== undefined || patternProperties !== undefined;
}

/** Returns whether a schema is an object's fields and nothing else. */
function isObject(schema: JsonSchema): boolean {
  return (
    hasFields(schema) && !['$ref', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'].some((keyword) => keyword in schema)
  );
}

function literal(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'any' : JSON.stringify(value);
}

function union(types: string[]): string {
  const different = [...new Set(types.map((it) => (it.includes(' & ') ? `(${it})` : it)))];
  return different.length === 0 ? 'never' : different.includes('any') ? 'any' : different.join(' | ');
}

function indent(text: string): string {
  return text.replace(/\n/g, '\n  ');
}

/** Keywords that become tags of the documentation, as {@link TypeSchemas} reads them. */
const TAGS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minItems',
  'maxItems',
  'default',
];

/** Returns a schema's documentation comment; an empty text where it has nothing to say. */
function comment(schema: JsonSchema, margin: string): string {
  if (typeof schema !== 'object' || schema === null) return '';
  const description = typeof schema.description === 'string' ? schema.description.trim() : '';
  const limits = limitsOf(schema);
  const tags = TAGS.filter(
    (name) => limits[name] !== undefined && limits[name] !== null && schema !== limits[name],
  ).map((name) => `@${name} ${tagText(limits[name])}`);
  const lines = [
    ...(description ? description.split('\n') : []),
    ...(limits.type === 'integer' ? ['@integer'] : []),
    ...tags,
    ...(schema.deprecated === true ? ['@deprecated'] : []),
  ];
  if (lines.length === 0) return '';
  const body = lines.map((line: string) => `${margin} * ${line.replace(/\*\//g, '*\\/')}`.trimEnd()).join('\n');
  return `${margin}/**\n${body}\n${margin} */\n`;
}

/** Returns the schema with the limits of an optional value, which stand in the member of the union that is not null. */
function limitsOf(schema: JsonSchema): JsonSchema {
  const members: JsonSchema[] = (schema.anyOf ?? schema.oneOf ?? []).filter((it: JsonSchema) => it?.type !== 'null');
  return members.length === 1 && typeof members[0] === 'object' ? { ...members[0], ...schema } : schema;
}

function tagText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
