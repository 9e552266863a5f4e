import { adviceOnName, camelCase } from './names';
import { shown } from './shown';

/*
 * Settings that users give: those of a trainer, the options of a function.
 * Each is declared once, as an entry of a table: its name is the entry's, its
 * documentation the comment above it, and its value has its type, its default
 * and what is valid. Types, checks, advice on misspelt names and
 * docs/reference/settings.md follow from that.
 */

/** The default of a setting, and its valid values. */
export interface Setting<Value = any, Default = unknown> {
  /** The value when none is given. `undefined`: it follows from other settings, or from the model. */
  readonly fallback: Default;
  /** The valid values, in words: "a number above 0". */
  readonly valid: string;
  accepts(value: unknown): value is Value;
}

/** Settings by name, in the order in which pages and messages list them. */
export type Settings = Readonly<Record<string, Setting>>;

/** The type of the settings of a table as users give them. */
export type Given<Table> = {
  -readonly [Name in keyof Table]?: Table[Name] extends Setting<infer Value> ? Value : never;
};

/** The type of the settings of a table with their defaults. */
export type Resolved<Table> = {
  -readonly [Name in keyof Table]: Table[Name] extends Setting<infer Value, infer Default> ? Value | Default : never;
};

/** A table of settings, and the type or function that they belong to. */
export interface Declaration<Table extends Settings = Settings> {
  /** The name of their owner: 'GRPOConfig', 'getPeftModel'. */
  owner: string;
  /** The word for one of them. 'setting' by default. */
  noun?: 'setting' | 'option';
  /** A correct use, for errors: '{ maxSteps: 80 }'. */
  example: string;
  settings: Table;
  /** By name: what a setting of other libraries is called here, or why it is missing. */
  elsewhere?: Readonly<Record<string, string>>;
}

/**
 * Returns the given settings with the defaults of the others.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, or for a wrong value, with the valid ones
 */
export function resolveSettings<Table extends Settings>(
  declaration: Declaration<Table>,
  given: object | undefined,
): Resolved<Table> {
  checkSettings(declaration, given);
  const values = Object.entries(declaration.settings).map(([name, { fallback }]) => {
    const value = (given as Record<string, unknown> | undefined)?.[name];
    return [name, value === undefined ? fallback : value];
  });
  return Object.fromEntries(values) as Resolved<Table>;
}

/** Returns the defaults of all settings of a table. */
export function defaultsOf<Table extends Settings>(settings: Table): Resolved<Table> {
  const values = Object.entries(settings).map(([name, { fallback }]) => [name, fallback]);
  return Object.fromEntries(values) as Resolved<Table>;
}

/**
 * Checks names and values as a user gave them: a name that is misspelt would be ignored, and the default taken instead.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, or for a wrong value, with the valid ones
 */
export function checkSettings(declaration: Declaration, given: object | undefined): void {
  const { owner, noun = 'setting', example, settings } = declaration;
  if (given === undefined) return;
  if (given === null || typeof given !== 'object')
    throw new TypeError(`the ${noun}s of ${owner} are an object: ${example}.`);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(settings, name))
      throw new TypeError(`${owner} has no ${noun} ${name}${advice(declaration, name)}`);
  checkValues(`${owner}: `, settings, given);
}

/**
 * Checks the values of settings, not their names.
 *
 * @param where the start of the error's sentence: "GRPOConfig: "
 * @throws TypeError for a wrong value, with the valid ones
 */
export function checkValues(where: string, settings: Settings, given: object): void {
  for (const [name, { accepts, valid }] of Object.entries(settings)) {
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined && !accepts(value))
      throw new TypeError(`${where}${name} must be ${valid}, not ${shownValue(value)}.`);
  }
}

function advice({ noun = 'setting', settings, elsewhere = {} }: Declaration, name: string): string {
  const camel = camelCase(name);
  if (Object.hasOwn(elsewhere, camel)) return `: ${elsewhere[camel]}.`;
  return `. ${adviceOnName(camel, Object.keys(settings), `${noun}s`)}`;
}

function shownValue(value: unknown): string {
  return typeof value === 'function' ? 'a function' : shown(value);
}

/** Returns one reason for several names, for {@link Declaration.elsewhere}. */
export function because(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

/** Bounds of a number, and what one of its values means. */
interface Range {
  from?: number;
  above?: number;
  to?: number;
  below?: number;
  /** "0 means all". */
  note?: string;
}

/** Returns a setting that is a finite number. */
export function number<const Default>(fallback: Default, range: Range = {}): Setting<number, Default> {
  return numberOf('a number', Number.isFinite, fallback, range);
}

/** Returns a setting that is a whole number. */
export function whole<const Default>(fallback: Default, range: Range = {}): Setting<number, Default> {
  return numberOf('a whole number', Number.isSafeInteger, fallback, range);
}

function numberOf<Default>(
  what: string,
  isOne: (value: unknown) => boolean,
  fallback: Default,
  { note, ...bounds }: Range,
): Setting<number, Default> {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity } = bounds;
  const words = Object.entries(bounds).map(([word, bound]) => ` ${word === 'below' ? 'to below' : word} ${bound}`);
  return {
    fallback,
    valid: `${what}${words.join('')}${note ? ` (${note})` : ''}`,
    accepts: (v): v is number =>
      isOne(v) && (v as number) >= from && (v as number) > above && (v as number) <= to && (v as number) < below,
  };
}

/** Returns a setting that is true or false. */
export function flag<const Default>(fallback: Default): Setting<boolean, Default> {
  return { fallback, valid: 'true or false', accepts: (v): v is boolean => typeof v === 'boolean' };
}

/** Returns a setting that is one of some values. */
export function oneOf<const Value, const Default>(
  fallback: Default,
  values: readonly Value[],
): Setting<Value, Default> {
  return {
    fallback,
    valid: `one of ${values.map((value) => shownValue(value)).join(', ')}`,
    accepts: (v): v is Value => values.includes(v as Value),
  };
}

/** Returns a setting that is a text, not empty: a name, a folder. */
export function text<const Default>(fallback: Default, valid: string): Setting<string, Default> {
  return { fallback, valid, accepts: (v): v is string => typeof v === 'string' && v !== '' };
}

/** Returns a setting that `accepts` checks. */
export function checked<Value, const Default = undefined>(
  fallback: Default,
  valid: string,
  accepts: (value: unknown) => boolean,
): Setting<Value, Default> {
  return { fallback, valid, accepts: (v): v is Value => accepts(v) };
}

/** Returns a setting that is checked by the function that takes it. */
export function unchecked<Value>(valid: string): Setting<Value, undefined> {
  return checked(undefined, valid, () => true);
}

/** Returns a setting that is an object of further settings, which are checked where they are used, or `null`, the default. */
export function record<Value extends object>(valid: string): Setting<Value | null, null> {
  return nullable(checked<Value, null>(null, valid, (v) => typeof v === 'object' && v !== null && !Array.isArray(v)));
}

/** Returns a setting that may be `null`, too. */
export function nullable<Value, Default>(setting: Setting<Value, Default>): Setting<Value | null, Default> {
  const { fallback, valid, accepts } = setting;
  return { fallback, valid: `${valid}, or null`, accepts: (v): v is Value | null => v === null || accepts(v) };
}

/** Returns a setting with another default. */
export function preset<Value, const Default>(setting: Setting<Value>, fallback: Default): Setting<Value, Default> {
  return { ...setting, fallback };
}
