import type { CausalLM } from '../models/causalLM';
import { LogprobScorer } from '../models/groupLogprobs';
import type { Tensor } from '../onnx/tensor';

/** A reference model's log-probabilities, and how to keep them over a restart. */
export interface Reference {
  scorer: LogprobScorer;
  /** The frozen copy of all weights; empty where the reference is the base of an adapter. */
  copies: Map<string, Tensor>;
}

/** The base without the adapter, or a frozen copy of all weights. */
export async function createReference(model: CausalLM, temperature: number): Promise<Reference> {
  const copies = new Map<string, Tensor>();
  if (!model.adapter) for (const [name, { shape, data }] of model.weights) copies.set(name, { shape, data: data.slice() });
  const weights = model.adapter ? model.weights : copies;
  const scorer = await LogprobScorer.create(model.config, { weights, adapter: null }, temperature);
  return { scorer, copies };
}
