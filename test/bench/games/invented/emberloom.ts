import { Environment } from '../../../../kernel';

/** The action: what is done to the ember. */
export interface Tend {
  tend: 'feed' | 'fan' | 'still' | 'quench';
}

/** The observation of the loom. */
export interface Loom {
  heat: number;
  weave: 'slack' | 'taut' | 'knotted';
  damp: boolean;
}

/** Range of heat for each weave. */
const WANTED: Record<Loom['weave'], [from: number, to: number]> = {
  slack: [15, 35],
  taut: [40, 60],
  knotted: [65, 85],
};
const HEATING: Record<Tend['tend'], number> = { feed: 7, fan: 3, still: -2, quench: -8 };
const STEPS = 120;

/**
 * An invented environment of a number, an enumeration and a boolean: an ember
 * is to be kept as hot as the weave of the moment wants it. A step in that
 * band is worth 1. Damp takes heat, and fanning does nothing against it.
 */
export class Emberloom extends Environment<Tend, Loom> {
  static override metadata = { name: 'emberloom', description: 'Keep the ember as hot as the weave wants it.' };
  static override schema = {
    action: { type: 'object', properties: { tend: { enum: Object.keys(HEATING) } }, required: ['tend'] },
    observation: {
      type: 'object',
      properties: {
        heat: { type: 'integer', minimum: 0, maximum: 100 },
        weave: { enum: Object.keys(WANTED), description: 'slack weaves want it cool, knotted ones hot' },
        damp: { type: 'boolean', description: 'damp takes heat, and fanning does not help' },
      },
      required: ['heat', 'weave', 'damp'],
    },
  };

  private loom: Loom = { heat: 0, weave: 'slack', damp: false };
  private steps = 0;

  reset() {
    this.steps = 0;
    this.loom = { heat: this.random.int(20, 80), weave: this.anyWeave(), damp: false };
    return { observation: { ...this.loom } };
  }

  step({ tend }: Tend) {
    const { loom, random } = this;
    const heating = loom.damp ? (tend === 'fan' ? 0 : HEATING[tend]) - 2 : HEATING[tend];
    loom.heat = Math.min(100, Math.max(0, loom.heat + heating + random.int(-2, 2)));
    const [from, to] = WANTED[loom.weave];
    const reward = loom.heat >= from && loom.heat <= to ? 1 : 0;
    if (random.next() < 1 / 15) loom.weave = this.anyWeave();
    if (random.next() < 1 / 10) loom.damp = !loom.damp;
    return { observation: { ...loom }, reward, done: ++this.steps === STEPS };
  }

  private anyWeave(): Loom['weave'] {
    return this.random.choice(['slack', 'taut', 'knotted'] as const);
  }
}

/** A strategy written by hand, for comparison. */
export const emberloomByHand = `function strategy(state) {
  const wanted = { slack: 25, taut: 50, knotted: 75 }[state.weave];
  if (state.heat > wanted + 5) return "quench";
  if (state.heat > wanted) return "still";
  return state.damp || state.heat < wanted - 5 ? "feed" : "fan";
}`;
