import { equals } from './compare';
import { TemplateError } from './errors';
import { Callable, iterate, lengthOf, Tuple, Undefined, WithAttributes, type Arguments, type Value } from './values';

/** The variable `loop`, which also iterates the items. */
export class Loop extends WithAttributes {
  readonly type = 'LoopContext';
  private iterator: Iterator<Value>;
  private index0 = -1;
  private known: number | undefined;
  /** The item after the current one, where it has been read already. */
  private ahead: { item: Value } | undefined;
  private current: Value | undefined;
  private before: Value | undefined;
  private lastChanged: Value | undefined;

  constructor(
    private readonly items: Value,
    private readonly depth0: number,
    /** Renders the loop with other items, where it is recursive. */
    readonly recurse: ((items: Value, depth0: number) => string) | undefined,
  ) {
    super();
    this.iterator = iterate(items)[Symbol.iterator]();
  }

  next(): { item: Value } | undefined {
    const next = this.peek();
    this.ahead = undefined;
    if (!next) return undefined;
    this.index0++;
    this.before = this.current;
    this.current = next.item;
    return next;
  }

  private peek(): { item: Value } | undefined {
    if (!this.ahead) {
      const { done, value } = this.iterator.next();
      this.ahead = done ? undefined : { item: value };
    }
    return this.ahead;
  }

  get length(): number {
    if (this.known === undefined) {
      this.known = lengthOf(this.items);
      if (this.known === undefined) {
        const rest: Value[] = [];
        for (let next = this.iterator.next(); !next.done; next = this.iterator.next()) rest.push(next.value);
        this.iterator = rest[Symbol.iterator]();
        this.known = rest.length + this.index0 + 1 + (this.ahead ? 1 : 0);
      }
    }
    return this.known;
  }

  attribute(name: string): Value | undefined {
    switch (name) {
      case 'index':
        return BigInt(this.index0 + 1);
      case 'index0':
        return BigInt(this.index0);
      case 'revindex':
        return BigInt(this.length - this.index0);
      case 'revindex0':
        return BigInt(this.length - this.index0 - 1);
      case 'first':
        return this.index0 === 0;
      case 'last':
        return this.peek() === undefined;
      case 'length':
        return BigInt(this.length);
      case 'depth':
        return BigInt(this.depth0 + 1);
      case 'depth0':
        return BigInt(this.depth0);
      case 'previtem':
        return this.index0 === 0 ? new Undefined('there is no previous item') : this.before;
      case 'nextitem': {
        const next = this.peek();
        return next ? next.item : new Undefined('there is no next item');
      }
      case 'cycle':
        return new Callable(name, (given) => this.cycle(given));
      case 'changed':
        return new Callable(name, ({ args }) => this.changed(new Tuple(args)));
      default:
        return undefined;
    }
  }

  private cycle({ args }: Arguments): Value {
    if (args.length === 0) throw new TemplateError('no items for cycling given');
    return args[this.index0 % args.length];
  }

  private changed(value: Value): boolean {
    if (this.lastChanged !== undefined && equals(this.lastChanged, value)) return false;
    this.lastChanged = value;
    return true;
  }

  call({ args }: Arguments): Value {
    if (!this.recurse) throw new TemplateError("The loop must have the 'recursive' marker to be called recursively.");
    if (args.length !== 1) throw new TemplateError('loop() takes one argument');
    return this.recurse(args[0], this.depth0 + 1);
  }

  repr(): string {
    return `<LoopContext ${this.index0 + 1}/${this.length}>`;
  }
}
