import { Environment } from '../../../../kernel';

/** The action: where to go. */
export interface Crawl {
  crawl: 'uphill' | 'downhill' | 'seaward' | 'landward';
}

/** The observation: the nine places around the crab, its own in the middle. */
export interface Around {
  around: number[];
}

const [URCHIN, SAND, SHELL] = [0, 1, 2];
const SIDE = 9;
const SHELLS = 12;
const URCHINS = 14;
const STEPS = 100;
/** Changes of row and column by each action. */
const WAYS: Record<Crawl['crawl'], [row: number, column: number]> = {
  uphill: [-1, 0],
  downhill: [1, 0],
  seaward: [0, 1],
  landward: [0, -1],
};

/**
 * An invented environment with a board: a crab crawls over a field that joins
 * at its edges. A shell is worth 1 and comes up again elsewhere; an urchin
 * costs 1 and moves, too. It sees a board of three by three.
 */
export class Shellfield extends Environment<Crawl, Around> {
  static override metadata = { name: 'shellfield', description: 'Crawl onto shells, not onto urchins.' };
  static override schema = {
    action: { type: 'object', properties: { crawl: { enum: Object.keys(WAYS) } }, required: ['crawl'] },
    observation: {
      type: 'object',
      properties: {
        around: {
          type: 'array',
          items: { type: 'integer', minimum: 0, maximum: 2 },
          minItems: 9,
          maxItems: 9,
          description:
            'the board around you, row by row from uphill and landward, you in the middle: 0 urchin, 1 sand, 2 shell',
        },
      },
      required: ['around'],
    },
  };

  private field: number[] = [];
  private row = 0;
  private column = 0;
  private steps = 0;

  reset() {
    [this.row, this.column, this.steps] = [4, 4, 0];
    this.field = Array(SIDE * SIDE).fill(SAND);
    for (let i = 0; i < SHELLS; i++) this.place(SHELL);
    for (let i = 0; i < URCHINS; i++) this.place(URCHIN);
    return { observation: this.seen() };
  }

  step({ crawl }: Crawl) {
    const [down, right] = WAYS[crawl];
    [this.row, this.column] = [around(this.row + down), around(this.column + right)];
    const here = this.row * SIDE + this.column;
    const found = this.field[here];
    if (found !== SAND) {
      this.place(found);
      this.field[here] = SAND;
    }
    return { observation: this.seen(), reward: found - SAND, done: ++this.steps === STEPS };
  }

  /** Puts something on a random place of sand where the crab is not. */
  private place(what: number): void {
    const here = this.row * SIDE + this.column;
    const sand = this.field.flatMap((it, i) => (it === SAND && i !== here ? [i] : []));
    this.field[this.random.choice(sand)] = what;
  }

  private seen(): Around {
    const near = [-1, 0, 1];
    return {
      around: near.flatMap((down) =>
        near.map((right) => this.field[around(this.row + down) * SIDE + around(this.column + right)]),
      ),
    };
  }
}

/** Returns a position on the field, which joins at its edges. */
function around(position: number): number {
  return (position + SIDE) % SIDE;
}

export const shellfieldByHand = `let way = 0;
function strategy({ around }) {
  const ways = [["uphill", around[1]], ["seaward", around[5]], ["downhill", around[7]], ["landward", around[3]]];
  for (let i = 0; i < 4; i++) if (ways[i][1] === 2) return ways[way = i][0];
  for (let i = 0; i < 4; i++) if (ways[(way + i) % 4][1] === 1) return ways[way = (way + i) % 4][0];
  return "uphill";
}`;
