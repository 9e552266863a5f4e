import type { Value } from './values';

/** Variables by name; what a scope does not have, the scope around it may have. */
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
