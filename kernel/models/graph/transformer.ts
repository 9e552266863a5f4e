import type { Graph } from '../../onnx/graph';
import { geluTanh, softCap } from '../../onnx/operators/activations';
import { add, detach, equal, mul, scale, select } from '../../onnx/operators/arithmetic';
import { silu } from '../../onnx/operators/elementwise';
import { rmsNorm } from '../../onnx/operators/normalization';
import { rotary, rotaryTables, type RotaryTables } from '../../onnx/operators/rotary';
import { reshape } from '../../onnx/operators/shape';
import { recomputed } from '../../onnx/recompute';
import type { Value } from '../../onnx/value';
import { blockNorms, EMBEDDING, FINAL_NORM, HEAD, headNormWeight, moduleWeight } from './architecture';
import type { ModelConfig } from '../config';
import type { GraphParameters } from './parameters';
import type { RopeSettings } from './rope';

/**
 * Returns the attention of one block, in the shape of the queries. Queries
 * [rows, heads · headSize] and keys [rows, keyValueHeads · headSize] are rotated;
 * values are [rows, keyValueHeads · headSize].
 */
export type Attend = (layer: number, queries: Value, keys: Value, values: Value) => Value;

/** Applies a block to its rows. */
export type ApplyBlock = (layer: number, x: Value, block: (x: Value) => Value) => Value;

/**
 * A transformer over rows: tokens of one or several sequences, one after the
 * other. Only attention knows which rows belong together. What differs between
 * families of models is read from the configuration, here and in attention.
 */
export class Transformer {
  constructor(
    protected readonly graph: Graph,
    protected readonly config: ModelConfig,
    protected readonly parameters: GraphParameters,
  ) {}

  /**
   * Returns the last hidden state of each row, [rows, hiddenSize].
   *
   * @param ids int64, [rows]
   * @param positions int64, [rows]
   * @param apply may change how a block is applied to its rows
   */
  hidden(ids: Value, positions: Value, attend: Attend, apply: ApplyBlock = (_layer, x, block) => block(x)): Value {
    const tables = this.rotaryTables(positions);
    let x = scale(this.embeddings(ids), this.config.embeddingScale);
    for (let layer = 0; layer < this.config.numLayers; layer++) {
      x = apply(layer, x, (rows) => this.block(layer, rows, tables[layer], attend));
    }
    return x;
  }

  private block(layer: number, x: Value, tables: RotaryTables | null, attend: Attend): Value {
    const norms = blockNorms(this.config, layer);
    const mixed = this.attention(layer, this.norm(x, norms.beforeAttention), tables, attend);
    const between = add(x, this.normIf(mixed, norms.afterAttention));
    const fed = this.feedForward(layer, this.norm(between, norms.beforeFeedForward));
    return add(between, this.normIf(fed, norms.afterFeedForward));
  }

  /** Returns the logits of the next token, [rows, vocabulary]. */
  logits(hidden: Value): Value {
    const { logitSoftcap } = this.config;
    const { x, weight } = this.head(hidden);
    const logits = this.linear(x, weight);
    return logitSoftcap === null ? logits : softCap(logits, logitSoftcap);
  }

  /**
   * Returns the factors of the logits before they are capped: rows [rows, hiddenSize],
   * and the name of the weight [vocabulary, hiddenSize].
   */
  head(hidden: Value): { x: Value; weight: string } {
    return { x: this.norm(hidden, FINAL_NORM), weight: this.headWeight };
  }

  get headWeight(): string {
    return this.config.tiedEmbeddings ? EMBEDDING : HEAD;
  }

  private embeddings(ids: Value): Value {
    const rows = this.parameters.rows(EMBEDDING, ids);
    const { padTokenId } = this.config;
    if (padTokenId === null || !rows.tracked) return rows;
    const isPadding = equal(reshape(ids, [ids.dimension(0), 1]), this.graph.int64([padTokenId]));
    return select(isPadding, detach(rows), rows);
  }

  protected attention(layer: number, x: Value, tables: RotaryTables | null, attend: Attend): Value {
    const { numHeads, numKeyValueHeads } = this.config;
    const project = (module: string) => this.linear(x, moduleWeight(layer, module));
    const position = (x: Value, of: 'q' | 'k', heads: number) => {
      const normed = this.config.queryKeyNorm ? this.headNorm(x, headNormWeight(layer, of), heads) : x;
      return tables ? rotary(normed, tables, heads) : normed;
    };
    const queries = position(project('q_proj'), 'q', numHeads);
    const keys = position(project('k_proj'), 'k', numKeyValueHeads);
    const mixed = attend(layer, queries, keys, project('v_proj'));
    return this.linear(mixed, moduleWeight(layer, 'o_proj'));
  }

  protected feedForward(layer: number, x: Value): Value {
    const project = (input: Value, module: string) => this.linear(input, moduleWeight(layer, module));
    const down = (gate: Value, up: Value) => [project(mul(this.activation(gate), up), 'down_proj')];
    const inputs = [project(x, 'gate_proj'), project(x, 'up_proj')] as const;
    // The activation takes little time and, held for the way back, much memory.
    return (inputs[0].tracked ? recomputed(inputs, down) : down(...inputs))[0];
  }

  protected activation(x: Value): Value {
    return this.config.activation === 'silu' ? silu(x) : geluTanh(x);
  }

  /** Returns rows through a linear layer. */
  protected linear(x: Value, name: string): Value {
    return this.parameters.linear(x, name);
  }

  protected norm(x: Value, name: string): Value {
    const weight = this.parameters.weight(name);
    const { normOffset, normEpsilon } = this.config;
    return rmsNorm(x, normOffset === 0 ? weight : add(weight, this.graph.scalar(normOffset)), normEpsilon);
  }

  private normIf(x: Value, name: string | null): Value {
    return name === null ? x : this.norm(x, name);
  }

  /** Returns rows x [rows, heads · headSize] with each head normalised by itself. */
  private headNorm(x: Value, name: string, heads: number): Value {
    const [rows, width] = x.shape;
    return reshape(this.norm(reshape(x, [rows, heads, this.config.headSize]), name), [rows, width]);
  }

  /** Returns the rotary tables of each layer; layers with the same settings share them. */
  private rotaryTables(positions: Value): (RotaryTables | null)[] {
    const made = new Map<RopeSettings, RotaryTables>();
    return this.config.rope.map((settings) => {
      if (!settings) return null;
      const tables = made.get(settings) ?? rotaryTables(positions, settings.frequencies, settings.attentionFactor);
      made.set(settings, tables);
      return tables;
    });
  }
}
