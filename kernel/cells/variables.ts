/** The notebook's variables, and the order in which they changed. */
export class Variables {
  /** For each variable its value after its last change, and the number of the cell that changed it. */
  private readonly seen = new Map<string, { value: unknown; changed: number }>();
  private before = new Map<string, unknown>();
  private cells = 0;

  /** @param locals the executor's variables, by name */
  constructor(private readonly locals: Record<string, unknown>) {}

  /** Notes the values before a cell. */
  mark(): void {
    this.before = new Map(this.names().map((name) => [name, this.get(name)]));
  }

  /** Returns whether a variable is new or has another value since {@link mark}. */
  isChanged(name: string): boolean {
    return Object.hasOwn(this.locals, name) && (!this.before.has(name) || this.before.get(name) !== this.get(name));
  }

  /** Notes which variables a cell has changed. */
  update(): void {
    this.cells++;
    for (const name of this.names()) {
      const value = this.get(name);
      const seen = this.seen.get(name);
      if (!seen || seen.value !== value) this.seen.set(name, { value, changed: this.cells });
    }
  }

  names(): string[] {
    return Object.keys(this.locals);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.locals, name);
  }

  set(name: string, value: unknown): void {
    this.locals[name] = value;
  }

  /** Returns the value of a variable; `undefined`, too, when it is an import from a file that cannot be loaded any more. */
  get(name: string): unknown {
    try {
      return this.locals[name];
    } catch {
      return undefined;
    }
  }

  /** Returns the variable that changed last of those whose value passes `test`; `null`: there is none. */
  newest(test: (value: unknown) => boolean): { name: string; value: unknown } | null {
    let found: { name: string; changed: number } | null = null;
    for (const [name, { changed }] of this.seen) {
      if (!Object.hasOwn(this.locals, name) || !test(this.get(name))) continue;
      if (!found || changed >= found.changed) found = { name, changed };
    }
    return found && { name: found.name, value: this.get(found.name) };
  }
}
