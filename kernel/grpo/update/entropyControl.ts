import type { EntropySettings } from '../updateSettings';

/** State of the steering of the bonus; it belongs to a checkpoint. */
export interface EntropyState {
  entropyCoef: number;
  /** Mean entropy of the last step; null before the first. */
  lastEntropy: number | null;
}

/** The weight of the entropy bonus: fixed, or steered towards a target as TRL does. */
export class EntropyControl {
  state: EntropyState;

  constructor(private readonly settings: EntropySettings) {
    this.state = { entropyCoef: settings.entropyCoef, lastEntropy: null };
  }

  /** True where there is a bonus in this run. */
  get enabled(): boolean {
    return this.settings.entropyCoef !== 0 || this.settings.useAdaptiveEntropy;
  }

  /** The weight in the next step: steered, it counts only after a step whose entropy was too low. */
  get weight(): number {
    const { entropyCoef, lastEntropy } = this.state;
    const applies =
      !this.settings.useAdaptiveEntropy || (lastEntropy !== null && lastEntropy <= this.settings.entropyTarget);
    return applies ? entropyCoef : 0;
  }

  /** Steers after a step of this mean entropy. */
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
