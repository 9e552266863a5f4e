import type { EntropySettings } from '../updateSettings';

/** State of the adaptive entropy bonus, part of a checkpoint. */
export interface EntropyState {
  entropyCoef: number;
  /** Mean entropy of the last step, in nats per token; null before the first. */
  lastEntropy: number | null;
}

/** The weight of the entropy bonus: fixed, or adapted to a target entropy as TRL does. */
export class EntropyControl {
  state: EntropyState;

  constructor(private readonly settings: EntropySettings) {
    this.state = { entropyCoef: settings.entropyCoef, lastEntropy: null };
  }

  /** Whether there is a bonus in this run. */
  get enabled(): boolean {
    return this.settings.entropyCoef !== 0 || this.settings.useAdaptiveEntropy;
  }

  /** The weight in the next step; an adaptive one is 0 unless the entropy of the last step was too low. */
  get weight(): number {
    const { entropyCoef, lastEntropy } = this.state;
    const applies =
      !this.settings.useAdaptiveEntropy || (lastEntropy !== null && lastEntropy <= this.settings.entropyTarget);
    return applies ? entropyCoef : 0;
  }

  /** Adapts the weight after a step with this mean entropy. */
  update(entropy: number): void {
    const { useAdaptiveEntropy, entropyCoefMin, entropyCoefMax, entropyCoefDelta, entropyTarget } = this.settings;
    if (!useAdaptiveEntropy) return;
    const { entropyCoef } = this.state;
    const next =
      entropy <= entropyTarget
        ? Math.min(entropyCoef + entropyCoefDelta, entropyCoefMax)
        : Math.max(entropyCoef - entropyCoefDelta, entropyCoefMin);
    this.state = { entropyCoef: next, lastEntropy: entropy };
  }
}
