/* What a tokenizer.json says, read with a sentence for whatever is not as it should be. */

/** An object of the file. Methods throw an error that names a value which is missing or not valid. */
export class Settings {
  private readonly fields: Record<string, unknown>;

  /** @param where path of the object, as the subject of a sentence */
  constructor(
    value: unknown,
    readonly where: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error(`${where} should be an object, not ${kindOf(value)}`);
    this.fields = value as Record<string, unknown>;
  }

  get(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }

  has(name: string): boolean {
    const value = this.get(name);
    return value !== undefined && value !== null;
  }

  fail(name: string, expected: string): never {
    throw new Error(`${this.where}.${name} should be ${expected}, not ${kindOf(this.get(name))}`);
  }

  text(name: string, otherwise?: string): string {
    const value = this.get(name);
    if (value === undefined && otherwise !== undefined) return otherwise;
    return typeof value === 'string' ? value : this.fail(name, 'a text');
  }

  /** Returns a text, or null where it is missing. */
  optionalText(name: string): string | null {
    return this.has(name) ? this.text(name) : null;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.get(name);
    if (value === undefined) return otherwise;
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false');
  }

  /** Returns an integer from 0 to the largest ID of a token. */
  whole(name: string, otherwise?: number): number {
    const value = this.get(name);
    if (value === undefined && otherwise !== undefined) return otherwise;
    return isId(value) ? value : this.fail(name, `an integer from 0 to ${LARGEST_ID}`);
  }

  /** Returns a count, which may be larger than any ID. */
  count(name: string, otherwise: number): number {
    const value = this.get(name) ?? otherwise;
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.fail(name, 'an integer that is not negative');
  }

  one<T extends string>(name: string, values: readonly T[], otherwise?: T): T {
    const value = this.get(name);
    if (value === undefined && otherwise !== undefined) return otherwise;
    const found = values.find((one) => one === value);
    return found ?? this.fail(name, `one of ${values.map((one) => `"${one}"`).join(', ')}`);
  }

  list(name: string): unknown[] {
    const value = this.get(name);
    return Array.isArray(value) ? value : this.fail(name, 'an array');
  }

  /** Returns the objects of an array. */
  objects(name: string): Settings[] {
    return this.list(name).map((value, i) => new Settings(value, `${this.where}.${name}[${i}]`));
  }

  object(name: string): Settings {
    return new Settings(this.get(name), `${this.where}.${name}`);
  }

  entries(): [string, unknown][] {
    return Object.entries(this.fields);
  }
}

/** Largest ID of a token, far above any vocabulary. */
export const LARGEST_ID = 2 ** 31 - 1;

export function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST_ID;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
