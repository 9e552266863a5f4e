import type { Graph } from '../onnx/graph';
import { add, mul } from '../onnx/operators/arithmetic';
import { silu } from '../onnx/operators/elementwise';
import { gatherRows } from '../onnx/operators/gather';
import { rmsNorm } from '../onnx/operators/normalization';
import { rotary, type RotaryTables } from '../onnx/operators/rotary';
import type { Value } from '../onnx/value';
import { EMBEDDING, FINAL_NORM, HEAD, moduleWeight, normWeight } from './architecture';
import type { ModelConfig } from './config';
import type { GraphParameters } from './parameters';
import { ropeTables } from './rope';

/**
 * Attention of one block. Queries [rows, heads · headSize], keys and values
 * [rows, keyValueHeads · headSize], rotated; the result is shaped as the queries.
 */
export type Attend = (layer: number, queries: Value, keys: Value, values: Value) => Value;

/**
 * A Llama transformer over rows: tokens of one or several sequences, one after
 * the other. Only attention knows which rows belong together.
 */
export class Transformer {
  private readonly tables: RotaryTables;

  constructor(
    graph: Graph,
    private readonly config: ModelConfig,
    private readonly parameters: GraphParameters,
    /** Longest sequence, in tokens. */
    maxPositions: number,
  ) {
    const { cos, sin } = ropeTables(config, maxPositions);
    this.tables = {
      cos: graph.constant('float32', cos.shape, cos.data, 'rope_cos'),
      sin: graph.constant('float32', sin.shape, sin.data, 'rope_sin'),
    };
  }

  /** The last hidden state of each row; `ids` and `positions` are int64, [rows]. */
  hidden(ids: Value, positions: Value, attend: Attend): Value {
    let x = gatherRows(this.parameters.weight(EMBEDDING), ids);
    for (let layer = 0; layer < this.config.numLayers; layer++) {
      x = add(x, this.attention(layer, this.norm(x, normWeight(layer, 'attention')), positions, attend));
      x = add(x, this.feedForward(layer, this.norm(x, normWeight(layer, 'feedForward'))));
    }
    return x;
  }

  /** Logits [rows, vocabulary] of the next token. */
  logits(hidden: Value): Value {
    const x = this.norm(hidden, FINAL_NORM);
    return this.parameters.linear(x, this.config.tiedEmbeddings ? EMBEDDING : HEAD);
  }

  private attention(layer: number, x: Value, positions: Value, attend: Attend): Value {
    const project = (module: string) => this.parameters.linear(x, moduleWeight(layer, module));
    const { numHeads, numKeyValueHeads } = this.config;
    const queries = rotary(project('q_proj'), positions, this.tables, numHeads);
    const keys = rotary(project('k_proj'), positions, this.tables, numKeyValueHeads);
    const mixed = attend(layer, queries, keys, project('v_proj'));
    return this.parameters.linear(mixed, moduleWeight(layer, 'o_proj'));
  }

  private feedForward(layer: number, x: Value): Value {
    const project = (input: Value, module: string) => this.parameters.linear(input, moduleWeight(layer, module));
    return project(mul(silu(project(x, 'gate_proj')), project(x, 'up_proj')), 'down_proj');
  }

  private norm(x: Value, name: string): Value {
    return rmsNorm(x, this.parameters.weight(name), this.config.normEpsilon);
  }
}
