import { seededRandom, type Random } from '../../common/random';

/** Random numbers from a seed: the same seed gives the same numbers on every machine. */
export class RandomSource implements Random {
  private readonly source: Random;

  /** @param seed a whole number ≥ 0 */
  constructor(readonly seed: number) {
    this.source = seededRandom(seed);
  }

  /** Returns a number, uniform in [0, 1). */
  next(): number {
    return this.source.next();
  }

  /** Returns a whole number from `minimum` to `maximum`, both included. */
  int(minimum: number, maximum: number): number {
    return minimum + Math.floor(this.next() * (maximum - minimum + 1));
  }

  /** Returns one of `items`, all equally likely. Throws a RangeError when there are none. */
  choice<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('random.choice needs at least one item.');
    return items[this.int(0, items.length - 1)];
  }

  /** Returns the items in random order, in a new array. */
  shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
    return shuffled;
  }
}
