import type { Graph } from '../../onnx/graph';
import { mul, scale } from '../../onnx/operators/arithmetic';
import { rotary, type RotaryTables } from '../../onnx/operators/rotary';
import { reshape, transpose } from '../../onnx/operators/shape';
import type { Dimension, Value } from '../../onnx/value';
import { headNormWeight, moduleWeight } from './architecture';
import type { ModelConfig } from '../config';
import type { GraphParameters } from './parameters';
import { Transformer, type Attend } from './transformer';

/**
 * Order of products with weights: x · wᵀ, or (w · xᵀ)ᵀ, which is faster where there
 * are few rows of x, but not for very few. ONNX Runtime rearranges the right operand
 * of a product at every run, so that should be the small one.
 */
export type ProductOrder = 'rows' | 'columns';

/**
 * A transformer over one token of each of N sequences: its results are those of
 * {@link Transformer}, computed in the order that is fastest for few rows. Its
 * attention takes queries [kv, N, group · headSize] that are scaled, keys and values
 * [kv, N, headSize], and gives rows [N, heads · headSize].
 */
export class DecodingTransformer extends Transformer {
  private readonly scaled = new Map<RotaryTables, RotaryTables>();

  constructor(
    graph: Graph,
    config: ModelConfig,
    parameters: GraphParameters,
    private readonly order: ProductOrder,
  ) {
    super(graph, config, parameters);
  }

  protected override attention(layer: number, x: Value, tables: RotaryTables | null, attend: Attend): Value {
    const { attentionScale, numHeads, numKeyValueHeads } = this.config;
    const group = numHeads / numKeyValueHeads;
    const queries = this.headNormIf(this.byHead(x, moduleWeight(layer, 'q_proj')), headNormWeight(layer, 'q'), group);
    const keys = this.headNormIf(this.byHead(x, moduleWeight(layer, 'k_proj')), headNormWeight(layer, 'k'), 1);
    const values = this.byHead(x, moduleWeight(layer, 'v_proj'));
    // A product without a factor is faster than one with it, and the tables are shared by the layers.
    const mixed = tables
      ? attend(layer, rotary(queries, this.scaledTables(tables), group), rotary(keys, tables, 1), values)
      : attend(layer, scale(queries, attentionScale), keys, values);
    return this.linear(mixed, moduleWeight(layer, 'o_proj'));
  }

  protected override feedForward(layer: number, x: Value): Value {
    if (this.order === 'rows') return super.feedForward(layer, x);
    const project = (module: string) => this.parameters.columns(x, moduleWeight(layer, module));
    const product = mul(this.activation(project('gate_proj')), project('up_proj'));
    return transpose(this.parameters.columns(product, moduleWeight(layer, 'down_proj'), 'columns'), [1, 0]);
  }

  protected override linear(x: Value, name: string): Value {
    return this.order === 'rows'
      ? this.parameters.linear(x, name)
      : transpose(this.parameters.columns(x, name), [1, 0]);
  }

  /** Returns rows x through a linear layer whose outputs are heads: [kv, N, outputs / kv]. */
  private byHead(x: Value, name: string): Value {
    const kv = this.config.numKeyValueHeads;
    const rows = x.dimension(0);
    if (this.order === 'columns') {
      const columns = this.parameters.columns(x, name);
      return transpose(reshape(columns, [kv, perHead(columns.dimension(0), kv), rows]), [0, 2, 1]);
    }
    const product = this.parameters.linear(x, name);
    return transpose(reshape(product, [rows, kv, perHead(product.dimension(1), kv)]), [1, 0, 2]);
  }

  /** Returns x [kv, N, heads · headSize] with each head normalised by itself, in families that do so. */
  private headNormIf(x: Value, name: string, heads: number): Value {
    if (!this.config.queryKeyNorm) return x;
    const [kv, rows] = x.shape;
    return reshape(this.norm(reshape(x, [kv, rows, heads, this.config.headSize]), name), x.shape);
  }

  /** Returns tables that rotate queries and scale them for attention. */
  private scaledTables(tables: RotaryTables): RotaryTables {
    let scaled = this.scaled.get(tables);
    if (!scaled) {
      const { attentionScale } = this.config;
      this.scaled.set(
        tables,
        (scaled = { cos: scale(tables.cos, attentionScale), sin: scale(tables.sin, attentionScale) }),
      );
    }
    return scaled;
  }
}

function perHead(width: Dimension, heads: number): number {
  return Number(width) / heads;
}
