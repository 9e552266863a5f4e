import type { Value } from './values';

/** Variables by name. A name that a scope does not have is looked up in the scope around it. */
export class Scope {
  private readonly variables = new Map<string, Value>();
  constructor(private readonly around?: Scope) {}

  get(name: string): Value | undefined {
    for (let scope: Scope | undefined = this; scope; scope = scope.around) {
      const value = scope.variables.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  set(name: string, value: Value): void {
    this.variables.set(name, value);
  }
}
