import type { GgufValue } from './types';

/** Settings of a GGUF file, read by kind. Methods throw an error that names a setting which is missing or of another kind. */
export class Metadata {
  constructor(
    private readonly values: ReadonlyMap<string, GgufValue>,
    private readonly path: string,
  ) {}

  has(name: string): boolean {
    return this.values.has(name);
  }

  number(name: string, otherwise?: number): number {
    const value = this.values.get(name) ?? otherwise;
    return typeof value === 'number' ? value : this.fail(name, 'a number');
  }

  text(name: string, otherwise?: string): string {
    const value = this.values.get(name) ?? otherwise;
    return typeof value === 'string' ? value : this.fail(name, 'a text');
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.values.get(name) ?? otherwise;
    return typeof value === 'boolean' ? value : this.fail(name, 'true or false');
  }

  texts(name: string): string[] {
    const value = this.values.get(name);
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
    return this.fail(name, 'a list of texts');
  }

  /** Returns a list of numbers, or `undefined` where the setting is missing. */
  numbers(name: string): number[] | undefined {
    const value = this.values.get(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((one) => typeof one === 'number')) return value;
    return this.fail(name, 'a list of numbers');
  }

  /** Returns a list of numbers, which may be one number or missing. */
  numbersOrOne(name: string): number[] {
    return typeof this.values.get(name) === 'number' ? [this.number(name)] : (this.numbers(name) ?? []);
  }

  /** Returns the names of settings that begin with `prefix`. */
  names(prefix: string): string[] {
    return [...this.values.keys()].filter((name) => name.startsWith(prefix));
  }

  private fail(name: string, expected: string): never {
    throw new Error(
      `${this.path}: ${name} ${this.values.has(name) ? `should be ${expected}` : 'is missing'}; fetch the file again`,
    );
  }
}
