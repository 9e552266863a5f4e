import { moduleWeights } from '../../models/graph/architecture';
import type { CausalLM } from '../../models/causalLM';

/**
 * Work of one run, in floating-point operations: a fraction of a second on two
 * cores. More where all weights are trained, because each run then adds to the
 * gradients of all weights, however few its rows are.
 */
const RUN = { adapter: 1.2e11, weights: 2e11 };

/** Rows beyond which a run only takes more memory. */
const MOST_ROWS = 1500;

/**
 * Returns the floating-point operations of the matrix products that a row needs in the
 * linear layers of all blocks, forward and backward: 2 per weight forward, 2
 * for what flows back to the row, 2 for the gradient of a trained weight.
 */
export function rowFlops({ config, adapter }: Pick<CausalLM, 'config' | 'adapter'>): number {
  const passes = adapter ? 4 : 6;
  let flops = 0;
  for (const { name, shape } of moduleWeights(config)) {
    flops += passes * shape[0] * shape[1];
    const pair = adapter?.pairs.get(name);
    if (pair) flops += 6 * (pair.a.data.length + pair.b.data.length);
  }
  return flops;
}

/** Returns the same for the head of a row whose token is learned. */
export function headFlops({ config, adapter }: Pick<CausalLM, 'config' | 'adapter'>): number {
  return (adapter ? 4 : 6) * config.vocabSize * config.hiddenSize;
}

/** Returns the rows that one run should have. */
export function rowsPerRun(model: Pick<CausalLM, 'config' | 'adapter'>): number {
  const run = model.adapter ? RUN.adapter : RUN.weights;
  return Math.min(MOST_ROWS, Math.max(64, Math.round(run / (rowFlops(model) + headFlops(model)))));
}
