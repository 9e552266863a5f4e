import type { Tensor } from '../../onnx/tensor';
import type { ExtraTensors } from '../../training/checkpoint/folders';
import { EntropyControl } from './entropyControl';
import type { PolicyUpdate } from './policyUpdate';
import { resolveUpdate, type UpdateOptions } from '../updateSettings';

/** The parts of a {@link PolicyUpdate} that a trainer uses. */
export type PolicyUpdater = Pick<PolicyUpdate, keyof PolicyUpdate>;

/** The updater of a run that searches with a model and does not train it. */
export class NoUpdate implements PolicyUpdater {
  readonly entropyControl: EntropyControl;

  constructor(options: UpdateOptions) {
    this.entropyControl = new EntropyControl(resolveUpdate(options));
  }

  async step(): Promise<never> {
    throw new Error('a model that is not trained was to make a step');
  }

  async logprobs(): Promise<never> {
    throw new Error('a model that is not trained was to score its tokens');
  }

  /** Returns no metrics: the loss is not known. */
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
