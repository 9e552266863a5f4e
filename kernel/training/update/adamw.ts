import { zeros, type Tensor } from '../../onnx/tensor';
import { adamwStep, type AdamWRates } from './adamwKernel';

/** Settings of {@link AdamW}, as PyTorch's. */
export interface AdamWSettings {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled: weights shrink by learningRate · weightDecay per step. Norms (tensors of one axis) do not, as in transformers. */
  weightDecay: number;
}

/** State of an optimizer, as plain tensors: it can be written with safetensors. */
export interface OptimizerState {
  /** Steps made. */
  step: number;
  /** `<parameter>.exp_avg` and `<parameter>.exp_avg_sq` for each trained parameter. */
  tensors: Map<string, Tensor>;
}

/**
 * AdamW on tensors in this process's memory. It changes them in place, in one
 * pass over memory: the graphs that read them see the change at their next run,
 * and nothing is copied.
 */
export class AdamW {
  /** Steps made. */
  steps = 0;
  /** Made when they are first needed: what only searches or evaluates makes no step. */
  private made: Map<string, { mean: Tensor; square: Tensor }> | null = null;

  constructor(
    private readonly parameters: ReadonlyMap<string, Tensor>,
    private readonly settings: AdamWSettings,
  ) {}

  private get moments(): Map<string, { mean: Tensor; square: Tensor }> {
    return (this.made ??= new Map(
      [...this.parameters].map(([name, { shape }]) => [name, { mean: zeros(shape), square: zeros(shape) }]),
    ));
  }

  /** Makes one step along gradients that are multiplied by `factor` first (gradient clipping). */
  step(gradients: ReadonlyMap<string, Float32Array>, learningRate: number, factor = 1): void {
    this.steps++;
    const { beta1, beta2, epsilon, weightDecay } = this.settings;
    const rates: AdamWRates = {
      factor,
      beta1,
      beta2,
      epsilon,
      stepSize: learningRate / (1 - beta1 ** this.steps),
      squareScale: 1 / Math.sqrt(1 - beta2 ** this.steps),
      shrink: 1,
    };
    const { moments } = this;
    for (const [name, parameter] of this.parameters) {
      const { mean, square } = moments.get(name)!;
      rates.shrink = parameter.shape.length > 1 ? 1 - learningRate * weightDecay : 1;
      adamwStep(parameter.data, gradients.get(name)!, mean.data, square.data, rates);
    }
  }

  /** Returns its state: its own tensors, not copies. */
  state(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    for (const [name, { mean, square }] of this.moments) {
      tensors.set(`${name}.exp_avg`, mean);
      tensors.set(`${name}.exp_avg_sq`, square);
    }
    return { step: this.steps, tensors };
  }

  /** Goes on from a saved state. The tensors are taken over, not copied. */
  load(state: OptimizerState): void {
    this.made = new Map(
      [...this.parameters].map(([name, { shape }]) => [
        name,
        {
          mean: fitting(state.tensors, `${name}.exp_avg`, shape),
          square: fitting(state.tensors, `${name}.exp_avg_sq`, shape),
        },
      ]),
    );
    this.steps = state.step;
  }
}

function fitting(tensors: ReadonlyMap<string, Tensor>, name: string, shape: readonly number[]): Tensor {
  const saved = tensors.get(name);
  if (!saved || saved.shape.join() !== shape.join()) {
    throw new Error(`the optimizer's state has no fitting tensor "${name}"; it was saved for another model or adapter`);
  }
  return saved;
}
