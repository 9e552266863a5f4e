import type { Tensor } from '../onnx/tensor';
import type { ExtraTensors } from '../training/checkpoint';
import { EntropyControl } from './entropyControl';
import type { PolicyUpdate } from './update';
import { resolveSettings, type UpdateSettings } from './updateSettings';

/** What a trainer uses of a {@link PolicyUpdate}. */
export type PolicyUpdater = Pick<PolicyUpdate, keyof PolicyUpdate>;

/** Stands where an update does, for a model that a run searches with and does not train. */
export class NoUpdate implements PolicyUpdater {
  readonly entropyControl: EntropyControl;

  constructor(settings: Partial<UpdateSettings>) {
    this.entropyControl = new EntropyControl(resolveSettings(settings));
  }

  async step(): Promise<never> {
    throw new Error('a model that is not trained was to make a step');
  }

  async logprobs(): Promise<never> {
    throw new Error('a model that is not trained was to score its tokens');
  }

  /** Of the loss nothing is known. */
  async evaluate(): Promise<Record<string, number>> {
    return {};
  }

  state(): { step: number; tensors: Map<string, Tensor> } {
    return { step: 0, tensors: new Map() };
  }

  extras(): Map<string, ExtraTensors> {
    return new Map();
  }

  get entropyState() {
    return this.entropyControl.state;
  }

  async dispose(): Promise<void> {}
}
