import type { CausalLM } from '../../models/causalLM';
import { LogprobScorer, type CompletionScores } from '../../training/update/logprobScorer';
import type { LoraAdapter } from '../../models/lora/lora';
import { loraName, type ParameterSet } from '../../models/graph/parameters';
import type { Tensor } from '../../onnx/tensor';
import type { ExtraTensors } from '../../training/checkpoint/folders';
import type { TokenBatch } from '../../training/update/modelUpdate';

/**
 * The reference model: the policy as it was when the run started. Of a model
 * with an adapter, only the adapter is copied, as in TRL, and the base is shared;
 * a model without one is copied whole.
 */
export class ReferenceModel {
  private constructor(
    private readonly scorer: LogprobScorer,
    /** The copied tensors, by the names of the trained parameters. */
    private readonly copies: Map<string, Tensor>,
    private version: number,
  ) {}

  /** @param saved the reference model of a checkpoint; by default the current model is copied */
  static async create(model: CausalLM, temperature: number, saved?: ExtraTensors): Promise<ReferenceModel> {
    const copies = new Map<string, Tensor>();
    for (const [name, { shape, data }] of model.trainableParameters()) {
      copies.set(name, saved ? fitting(saved.tensors, name, shape) : { shape: [...shape], data: data.slice() });
    }
    const scorer = await LogprobScorer.create(model.config, parametersOf(model, copies), temperature);
    return new ReferenceModel(scorer, copies, saved?.version ?? 0);
  }

  /** Returns the log-probabilities of completions under the reference model, in nats. */
  scores(batch: Omit<TokenBatch, 'tokens'>, signal?: AbortSignal): Promise<CompletionScores> {
    return this.scorer.scoreBatch(batch, signal);
  }

  /** Sets reference = alpha · policy + (1 − alpha) · reference. */
  mixIn(policy: ReadonlyMap<string, Tensor>, alpha: number): void {
    for (const [name, { data }] of this.copies) {
      const source = policy.get(name)!.data;
      for (let i = 0; i < data.length; i++) data[i] = alpha * source[i] + (1 - alpha) * data[i];
    }
    this.version++;
  }

  /** Returns its state for a checkpoint. */
  state(): ExtraTensors {
    return { version: this.version, tensors: this.copies };
  }

  dispose(): Promise<void> {
    return this.scorer.dispose();
  }
}

function fitting(saved: ReadonlyMap<string, Tensor>, name: string, shape: readonly number[]): Tensor {
  const tensor = saved.get(name);
  if (!tensor || tensor.shape.join() !== shape.join())
    throw new Error(`the saved reference model has no fitting tensor "${name}"; it is of another model`);
  return tensor;
}

/** Returns the reference model as a set of parameters. An adapter that changes nothing, as a new one, is left out. */
function parametersOf(model: CausalLM, copies: ReadonlyMap<string, Tensor>): ParameterSet {
  const { weights, quantized, adapter } = model.parameters;
  if (!adapter)
    return {
      weights: new Map([...weights].map(([name, tensor]) => [name, copies.get(name) ?? tensor])),
      adapter: null,
    };
  const pairs: LoraAdapter['pairs'] = new Map();
  for (const [name, pair] of adapter.pairs)
    pairs.set(name, { ...pair, a: copies.get(loraName(name, 'A'))!, b: copies.get(loraName(name, 'B'))! });
  const changes = [...pairs.values()].some(({ b }) => b.data.some((value) => value !== 0));
  return { weights, quantized, adapter: changes ? { ...adapter, pairs } : null };
}
