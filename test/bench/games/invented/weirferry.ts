import { Environment } from '../../../../kernel';

/** The action: how the ferry is steered, and how much sail it has. */
export interface Steer {
  rudder: 'port' | 'amidships' | 'starboard';
  sail: 0 | 1 | 2;
}

/** The observation: positions of the ferry and of the next weir's opening. */
export interface River {
  ferry: { place: number; drift: number };
  opening: { place: number; ahead: number };
}

const WIDTH = 40;
const DISTANCE = 14;
const STEPS = 120;
/** Distance from the middle of an opening within which the ferry passes. */
const HALF_OPENING = 3;
const TURNS: Record<Steer['rudder'], number> = { port: -1, amidships: 0, starboard: 1 };

/**
 * An invented environment with objects as actions and as state: a ferry drifts
 * towards weirs, each with an opening somewhere. To pass it is worth 1, to miss
 * it costs half. Sail makes more weirs come, but less of the rudder.
 */
export class Weirferry extends Environment<Steer, River> {
  static override metadata = { name: 'weirferry', description: 'Steer the ferry through the openings of the weirs.' };
  static override schema = {
    action: {
      type: 'object',
      properties: {
        rudder: { enum: Object.keys(TURNS), description: 'port makes place smaller, starboard larger' },
        sail: {
          type: 'integer',
          minimum: 0,
          maximum: 2,
          description: 'with more sail weirs come faster, and the ferry turns less',
        },
      },
      required: ['rudder', 'sail'],
    },
    observation: {
      type: 'object',
      properties: {
        ferry: {
          type: 'object',
          properties: {
            place: { type: 'integer', minimum: 0, maximum: WIDTH },
            drift: { type: 'integer', minimum: -1, maximum: 1 },
          },
          required: ['place', 'drift'],
        },
        opening: {
          type: 'object',
          properties: {
            place: { type: 'integer', minimum: 0, maximum: WIDTH },
            ahead: { type: 'integer', minimum: 0, maximum: DISTANCE },
          },
          required: ['place', 'ahead'],
        },
      },
      required: ['ferry', 'opening'],
    },
  };

  private river: River = { ferry: { place: 0, drift: 0 }, opening: { place: 0, ahead: 0 } };
  private steps = 0;

  reset() {
    this.steps = 0;
    this.river = { ferry: { place: this.random.int(0, WIDTH), drift: 0 }, opening: this.nextOpening() };
    return { observation: structuredClone(this.river) };
  }

  step({ rudder, sail }: Steer) {
    const { ferry, opening } = this.river;
    ferry.place = Math.min(WIDTH, Math.max(0, ferry.place + TURNS[rudder] * (4 - sail) + ferry.drift));
    if (this.random.next() < 0.2) ferry.drift = this.random.int(-1, 1);
    opening.ahead = Math.max(0, opening.ahead - 1 - sail);
    let reward = 0;
    if (opening.ahead === 0) {
      reward = Math.abs(ferry.place - opening.place) <= HALF_OPENING ? 1 : -0.5;
      this.river.opening = this.nextOpening();
    }
    return { observation: structuredClone(this.river), reward, done: ++this.steps === STEPS };
  }

  private nextOpening(): River['opening'] {
    return { place: this.random.int(0, WIDTH), ahead: DISTANCE };
  }
}

export const weirferryByHand = `function strategy({ ferry, opening }) {
  const off = opening.place - ferry.place - ferry.drift;
  const sail = Math.abs(off) <= 3 * (opening.ahead / 2) ? 1 : 0;
  if (Math.abs(off) <= 2) return { rudder: "amidships", sail: 2 };
  return { rudder: off < 0 ? "port" : "starboard", sail };
}`;
