import { moduleWeights } from '../../../kernel/models/graph/architecture';
import type { ModelConfig } from '../../../kernel/models/config';
import { Graph } from '../../../kernel/onnx/graph';
import { matMul } from '../../../kernel/onnx/operators/matmul';
import { GraphSession } from '../../../kernel/onnx/session';

/** `count` times a batch of products [m, k] · [k, n]. */
export interface Product {
  batch: number;
  m: number;
  k: number;
  n: number;
  count: number;
}

/** Sizes of a GRPO update of one group. */
export interface UpdateSizes {
  promptTokens: number;
  completions: number;
  tokens: number;
  /** Rank of the adapter; null: all weights are trained. */
  rank: number | null;
}

/**
 * Returns the matrix products of an update that computes the prompt once: every linear
 * layer forward, the gradient of its input, and that of its weight or adapter;
 * attention likewise. Nothing that is computed again counts twice.
 */
export function updateProducts(
  config: ModelConfig,
  { promptTokens, completions, tokens, rank }: UpdateSizes,
): Product[] {
  const fed = tokens - 1; // nothing follows the last token
  const rows = promptTokens + completions * fed;
  const single = (m: number, k: number, n: number): Product => ({ batch: 1, m, k, n, count: 1 });
  const products: Product[] = [];
  for (const {
    shape: [outputs, inputs],
  } of moduleWeights(config)) {
    products.push(single(rows, inputs, outputs), single(rows, outputs, inputs));
    if (rank === null) products.push(single(outputs, rows, inputs));
    else {
      products.push(single(rows, inputs, rank), single(rows, rank, outputs)); // forward
      products.push(single(rows, outputs, rank), single(rows, rank, inputs)); // to the input
      products.push(single(outputs, rows, rank), single(rank, rows, inputs)); // to B and A
    }
  }
  const { numHeads, headSize, numLayers, hiddenSize, vocabSize } = config;
  const attention = (batch: number, queries: number, keys: number): Product[] => {
    const [scores, mixed] = [
      { batch, m: queries, k: headSize, n: keys },
      { batch, m: queries, k: keys, n: headSize },
    ];
    // Forward one of each, backward two.
    return [scores, mixed].map((product) => ({ ...product, count: 3 * numLayers }));
  };
  products.push(...attention(numHeads, promptTokens, promptTokens));
  products.push(...attention(numHeads * completions, fed, promptTokens + fed));
  const predictions = completions * fed + 1;
  products.push(single(predictions, hiddenSize, vocabSize), single(predictions, vocabSize, hiddenSize));
  if (rank === null) products.push(single(vocabSize, predictions, hiddenSize));
  return merged(products);
}

/** Returns equal products joined. */
function merged(products: readonly Product[]): Product[] {
  const byShape = new Map<string, Product>();
  for (const product of products) {
    const { batch, m, k, n, count } = product;
    const key = [batch, m, k, n].join(' ');
    byShape.set(key, { ...product, count: count + (byShape.get(key)?.count ?? 0) });
  }
  return [...byShape.values()];
}

/** Returns the floating-point operations: a multiplication and an addition per term. */
export function flops(products: readonly Product[]): number {
  return products.reduce((sum, { batch, m, k, n, count }) => sum + 2 * batch * m * k * n * count, 0);
}

/** Resolves to the seconds that ONNX Runtime takes for the products alone. */
export async function plainSeconds(products: readonly Product[]): Promise<number> {
  let seconds = 0;
  for (const product of products) seconds += product.count * (await secondsOf(product));
  return seconds;
}

/** Resolves to the seconds of one product: the least of several runs, since it is a limit. */
async function secondsOf({ batch, m, k, n }: Product): Promise<number> {
  const graph = new Graph();
  const product = matMul(graph.input('a', 'float32', [batch, m, k]), graph.input('b', 'float32', [batch, k, n]));
  // One element leaves the runtime: copying the others out is no part of the product.
  const [zero, one] = [graph.int64([0, 0, 0]), graph.int64([1, 1, 1])];
  graph.output('corner', graph.node('Slice', [product, zero, one], 'float32', [1, 1, 1]));
  const session = await GraphSession.create(graph);
  const random = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random() - 0.5),
  });
  const feeds = { a: random(batch, m, k), b: random(batch, k, n) };
  let best = Infinity;
  for (let i = 0; i < 6; i++) {
    const started = performance.now();
    await session.run(feeds);
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  await session.release();
  return best;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
