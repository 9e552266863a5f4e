import type { Graph } from '../../onnx/graph';
import type { Value } from '../../onnx/value';

/** Outputs of the model for each token to be learned, and inputs of the caller. All are of one axis, [tokens]. */
export interface TokenValues {
  graph: Graph;
  /** Log-probability of each token, at the temperature of the update. Gradients flow through it. */
  logprobs: Value;
  /** Entropy of the distribution that each token was drawn from; a constant to gradients unless the objective has `entropyGradients`. */
  entropies: Value;
  /** Returns 1 for tokens that the model finds likeliest, else 0: the token accuracy. */
  isTop1(): Value;
  /** Returns the per-token values of a name among the objective's `inputs`. */
  input(name: string): Value;
  /** Returns for each token the sum of `values` over its completion. */
  sumOverCompletion(values: Value): Value;
}

/** Outputs of an objective. */
export interface ObjectiveValues {
  /** A scalar: the sum over tokens of what is minimised. */
  loss: Value;
  /** Values per token, [tokens], that the caller wants to see, by name. */
  outputs?: Record<string, Value>;
}

/**
 * The loss that a {@link ModelUpdate} minimises: a function from values per token
 * to a scalar, written with the operators of `onnx/operators`.
 *
 * #### Notes
 * A batch is cut into runs, and the losses of the runs are added. So the loss
 * must be a sum over completions: a token's share may depend on its own
 * completion (which is never cut) and on what is fed, but not on other
 * completions. Means over the batch are formed by weights that are fed
 * ({@link inputs}), computed over the whole batch by the caller.
 */
export interface Objective {
  /** Names of the values per token that every batch has to give. */
  readonly inputs: readonly string[];
  /** True: gradients flow through the entropies; false by default. */
  readonly entropyGradients?: boolean;
  build(tokens: TokenValues): ObjectiveValues;
}
