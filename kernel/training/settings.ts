import { adviceOnName } from '../nearest';

/** One setting of a trainer: its default and what it may be. */
export interface Setting {
  fallback: unknown;
  /** What is valid, for the error message. */
  valid: string;
  accepts(value: unknown): boolean;
}

/** The settings of a trainer, in the order in which they are listed to people. */
export interface SettingTable {
  /** What people call it: 'GRPOConfig'. */
  owner: string;
  /** A correct one, for the error message: '{ maxSteps: 80 }'. */
  example: string;
  settings: Readonly<Record<string, Setting>>;
  /** By name: what a setting that others have is called here, or why it is missing. */
  elsewhere: Readonly<Record<string, string>>;
}

/**
 * The given settings with the defaults of the others.
 *
 * @throws TypeError for an unknown name, with the nearest valid one, or for a
 * wrong value, with the valid ones
 */
export function resolveSettings(table: SettingTable, given: object): Record<string, unknown> {
  const { owner, example, settings } = table;
  if (given === null || typeof given !== 'object') throw new TypeError(`${owner} is an object: ${example}.`);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(settings, name)) throw new TypeError(unknownSetting(table, name));
  const values: Record<string, unknown> = {};
  for (const [name, { fallback, accepts, valid }] of Object.entries(settings)) {
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined && !accepts(value))
      throw new TypeError(`${owner}: ${name} is ${show(value)}. Valid: ${valid}.`);
    values[name] = value ?? fallback;
  }
  return values;
}

function unknownSetting({ owner, settings, elsewhere }: SettingTable, name: string): string {
  const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (Object.hasOwn(elsewhere, camel)) return `${owner} has no setting ${name}: ${elsewhere[camel]}.`;
  return `${owner} has no setting ${name}. ${adviceOnName(camel, Object.keys(settings), 'settings')}`;
}

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? (JSON.stringify(value) ?? 'an object') : String(value);
}

export function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function whole(fallback: number | null | undefined, from: number): Setting {
  return { fallback, valid: `a whole number from ${from}`, accepts: (v) => isWhole(v) && v >= from };
}

export function number(
  fallback: number | null,
  range: { from?: number; above?: number; to?: number; below?: number } = {},
): Setting {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity } = range;
  const words = Object.entries(range).map(([word, bound]) => ` ${word} ${bound}`);
  return {
    fallback,
    valid: `a number${words.join('')}`,
    accepts: (v) => typeof v === 'number' && Number.isFinite(v) && v >= from && v > above && v <= to && v < below,
  };
}

/** A number of steps, or (below 1) a fraction of all steps of the run. */
export function interval(fallback: number | null): Setting {
  return {
    fallback,
    valid: 'a whole number from 1, or a fraction of all steps between 0 and 1',
    accepts: (v) => typeof v === 'number' && v > 0 && (v < 1 || isWhole(v)),
  };
}

export function nullable(setting: Setting): Setting {
  return { ...setting, valid: `${setting.valid}, or null`, accepts: (v) => v === null || setting.accepts(v) };
}

export function flag(fallback: boolean): Setting {
  return oneOf(fallback, [true, false]);
}

export function oneOf(fallback: unknown, values: readonly unknown[]): Setting {
  return { fallback, valid: values.map(show).join(', '), accepts: (v) => values.includes(v) };
}

/** A text that is not empty: a name, a folder. */
export function text(fallback: string | null, valid: string): Setting {
  return { fallback, valid, accepts: (v) => typeof v === 'string' && v !== '' };
}

/** An object of settings that are checked where they are used. */
export function record(valid: string): Setting {
  return nullable({ fallback: null, valid, accepts: (v) => typeof v === 'object' && v !== null && !Array.isArray(v) });
}

/** Names of the settings in which two configurations differ. */
export function changedSettings<Config extends object>(before: Config, after: Config): Array<keyof Config & string> {
  const names = Object.keys(after) as Array<keyof Config & string>;
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** What changed, for the charts: "learningRate 0.001 → 0.0005". */
export function changeText<Config extends object>(before: Config, after: Config): string {
  return changedSettings(before, after)
    .map((name) => `${name} ${show(before[name])} → ${show(after[name])}`)
    .join(', ');
}
