import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gradients } from '../../kernel/onnx/gradients';
import { Graph } from '../../kernel/onnx/graph';
import { geluTanh, softCap, tanh } from '../../kernel/onnx/operators/activations';
import {
  add,
  detach,
  div,
  meanLast,
  minimum,
  mul,
  neg,
  scale,
  select,
  less,
  sub,
  sum,
  sumAll,
} from '../../kernel/onnx/operators/arithmetic';
import { clip, exp, sigmoid, silu } from '../../kernel/onnx/operators/elementwise';
import { gatherElements, gatherRows, pack, pad, takeRows } from '../../kernel/onnx/operators/gather';
import { linear, matMul } from '../../kernel/onnx/operators/matmul';
import { rmsNorm } from '../../kernel/onnx/operators/normalization';
import { rotary, rotaryTables } from '../../kernel/onnx/operators/rotary';
import { concat, expand, reshape, split, transpose } from '../../kernel/onnx/operators/shape';
import { logSoftmax, softmax } from '../../kernel/onnx/operators/softmax';
import { logprobsOfLogits, tokenLogprobs } from '../../kernel/onnx/operators/tokenLogprobs';
import { GraphSession } from '../../kernel/onnx/session';
import { sizeOf } from '../../kernel/onnx/tensor';
import type { Value } from '../../kernel/onnx/value';
import { seededRandom } from '../../kernel/common/random';
import { maxDifference, PythonPeer } from '../models/pythonPeer';

const peer = new PythonPeer('onnx/operators.py');
after(() => peer.close());

/** An operator on inputs of these shapes, and the same in PyTorch on x0, x1, … */
interface Case {
  shapes: number[][];
  build: (inputs: Value[], graph: Graph) => Value;
  torch: string;
}

const indices = (graph: Graph, values: number[], shape = [values.length]) =>
  graph.constant('int64', shape, BigInt64Array.from(values, BigInt));
const floats = (graph: Graph, values: number[], shape: number[]) =>
  graph.constant('float32', shape, Float32Array.from(values));

/** Sequences of 3 and 2 rows in a rectangle of 2 × 3. */
const packing = (graph: Graph) => ({
  toPadded: indices(graph, [0, 1, 2, 3, 4, 0], [2, 3]),
  toPacked: indices(graph, [0, 1, 2, 3, 4]),
  filled: floats(graph, [1, 1, 1, 1, 1, 0], [2, 3, 1]),
});

const cases: Record<string, Case> = {
  add: { shapes: [[3, 4], [4]], build: ([a, b]) => add(a, b), torch: 'x0 + x1' },
  sub: {
    shapes: [
      [3, 1],
      [3, 4],
    ],
    build: ([a, b]) => sub(a, b),
    torch: 'x0 - x1',
  },
  mul: {
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
    build: ([a, b]) => mul(a, b),
    torch: 'x0 * x1',
  },
  div: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    build: ([a, b]) => div(a, add(mul(b, b), a.graph.scalar(1))),
    torch: 'x0 / (x1 * x1 + 1)',
  },
  minimum: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    build: ([a, b]) => minimum(a, b),
    torch: 'torch.minimum(x0, x1)',
  },
  neg: { shapes: [[5]], build: ([a]) => neg(a), torch: '-x0' },
  scale: { shapes: [[5]], build: ([a]) => scale(a, 2.5), torch: '2.5 * x0' },
  detach: { shapes: [[5]], build: ([a]) => mul(detach(a), a), torch: 'x0.detach() * x0' },
  select: { shapes: [[3, 4], [4]], build: ([a, b]) => select(less(a, b), a, b), torch: 'torch.where(x0 < x1, x0, x1)' },
  'sum, keeping the axis': { shapes: [[2, 3, 4]], build: ([a]) => sum(a, [1]), torch: 'x0.sum(1, keepdim=True)' },
  'sum over two axes': { shapes: [[2, 3, 4]], build: ([a]) => sum(a, [0, 2], false), torch: 'x0.sum((0, 2))' },
  sumAll: { shapes: [[2, 3]], build: ([a]) => reshape(sumAll(a), [1]), torch: 'x0.sum().reshape(1)' },
  meanLast: { shapes: [[2, 3, 4]], build: ([a]) => meanLast(a), torch: 'x0.mean(-1, keepdim=True)' },
  exp: { shapes: [[6]], build: ([a]) => exp(a), torch: 'x0.exp()' },
  sigmoid: { shapes: [[6]], build: ([a]) => sigmoid(a), torch: 'x0.sigmoid()' },
  silu: { shapes: [[3, 5]], build: ([a]) => silu(a), torch: 'F.silu(x0)' },
  clip: { shapes: [[20]], build: ([a]) => clip(a, -0.5, 0.7), torch: 'x0.clamp(-0.5, 0.7)' },
  tanh: { shapes: [[6]], build: ([a]) => tanh(a), torch: 'x0.tanh()' },
  softCap: { shapes: [[6]], build: ([a]) => softCap(a, 0.7), torch: '0.7 * (x0 / 0.7).tanh()' },
  geluTanh: { shapes: [[3, 5]], build: ([a]) => geluTanh(a), torch: "F.gelu(x0, approximate='tanh')" },
  'linear with bias': {
    shapes: [[5, 4], [3, 4], [3]],
    build: ([x, w, b]) => linear(x, w, b),
    torch: 'F.linear(x0, x1, x2)',
  },
  linear: {
    shapes: [
      [5, 4],
      [3, 4],
    ],
    build: ([x, w]) => linear(x, w),
    torch: 'F.linear(x0, x1)',
  },
  matMul: {
    shapes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    build: ([a, b]) => matMul(a, b),
    torch: 'x0 @ x1',
  },
  'matMul, b transposed': {
    shapes: [
      [2, 3, 4],
      [2, 5, 4],
    ],
    build: ([a, b]) => matMul(a, b, { transB: true, alpha: 0.5 }),
    torch: '0.5 * x0 @ x1.mT',
  },
  'matMul, a transposed': {
    shapes: [
      [2, 4, 3],
      [2, 4, 5],
    ],
    build: ([a, b]) => matMul(a, b, { transA: true }),
    torch: 'x0.mT @ x1',
  },
  'matMul, both transposed': {
    shapes: [
      [1, 2, 4, 3],
      [1, 2, 5, 4],
    ],
    build: ([a, b]) => matMul(a, b, { transA: true, transB: true, alpha: 2 }),
    torch: '2 * x0.mT @ x1.mT',
  },
  reshape: { shapes: [[3, 4]], build: ([a]) => reshape(a, [2, 6]), torch: 'x0.reshape(2, 6)' },
  transpose: { shapes: [[2, 3, 4]], build: ([a]) => transpose(a, [2, 0, 1]), torch: 'x0.permute(2, 0, 1)' },
  concat: {
    shapes: [
      [2, 3],
      [2, 4],
    ],
    build: ([a, b]) => concat([a, b], -1, 7),
    torch: 'torch.cat([x0, x1], -1)',
  },
  split: {
    shapes: [[5, 3]],
    build: ([a]) => {
      const [top, bottom] = split(a, 0, [2, 3]);
      return add(sum(mul(top, top), [0]), bottom);
    },
    torch: '(x0[:2] ** 2).sum(0, keepdim=True) + x0[2:]',
  },
  'split, one part unused': { shapes: [[5, 3]], build: ([a]) => split(a, 0, [2, 3])[1], torch: 'x0[2:]' },
  'gatherRows with repetitions': {
    shapes: [[4, 3]],
    build: ([a], g) => gatherRows(a, indices(g, [1, 1, 3, 1, 0])),
    torch: 'x0[[1, 1, 3, 1, 0]]',
  },
  takeRows: { shapes: [[4, 3]], build: ([a], g) => takeRows(a, indices(g, [3, 1])), torch: 'x0[[3, 1]]' },
  gatherElements: {
    shapes: [[3, 4]],
    build: ([a], g) => gatherElements(a, indices(g, [1, 3, 0], [3, 1])),
    torch: 'x0.gather(1, torch.tensor([[1], [3], [0]]))',
  },
  expand: { shapes: [[2, 1, 3]], build: ([a]) => expand(a, [2, 4, 3]), torch: 'x0.expand(2, 4, 3)' },
  tokenLogprobs: {
    shapes: [
      [3, 4],
      [6, 4],
    ],
    build: ([x, w], g) => tokenLogprobs(x, w, indices(g, [5, 0, 5]), gatherRows(w, indices(g, [5, 0, 5]))).logprobs,
    torch: '(x0 @ x1.T).log_softmax(-1)[[0, 1, 2], [5, 0, 5]]',
  },
  'entropies of logits': {
    shapes: [[3, 6]],
    build: ([x], g) => logprobsOfLogits(x, indices(g, [5, 0, 5]), true).entropies,
    torch: '-(x0.softmax(-1) * x0.log_softmax(-1)).sum(-1)',
  },
  pad: {
    shapes: [[5, 2]],
    build: ([a], g) => mul(pad(a, packing(g)), packing(g).filled),
    torch: 'torch.cat([x0, torch.zeros(1, 2)]).reshape(2, 3, 2)',
  },
  pack: { shapes: [[2, 3, 2]], build: ([a], g) => pack(a, packing(g)), torch: 'x0.reshape(6, 2)[:5]' },
  softmax: { shapes: [[2, 3, 4]], build: ([a]) => softmax(a), torch: 'x0.softmax(-1)' },
  logSoftmax: { shapes: [[3, 6]], build: ([a]) => logSoftmax(a), torch: 'x0.log_softmax(-1)' },
  rmsNorm: { shapes: [[3, 8], [8]], build: ([x, w]) => rmsNorm(x, w, 1e-5), torch: 'rms_norm(x0, x1, 1e-5)' },
  rotary: {
    shapes: [[4, 8]],
    build: ([x], g) => rotary(x, rotaryTables(indices(g, [0, 3, 5, 3]), Float32Array.of(0.6, 0.1), 1.5), 2),
    torch: 'rotary(x0, torch.tensor([0., 3, 5, 3]), torch.tensor([0.6, 0.1]), 1.5, 2)',
  },
};

for (const [name, { shapes, build, torch }] of Object.entries(cases)) {
  test(`${name}: values and gradients are PyTorch's`, async () => {
    const random = seededRandom(7);
    const draw = (count: number) => Float32Array.from({ length: count }, () => 4 * random.next() - 2);
    const tensors = shapes.map((shape) => ({ shape, data: draw(sizeOf(shape)) }));
    const seed = draw(64);

    const graph = new Graph();
    const inputs = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape, { trainable: true }));
    const output = build(inputs, graph);
    const size = sizeOf(output.shape as number[]);
    const loss = sumAll(mul(output, graph.constant('float32', output.shape as number[], seed.slice(0, size))));
    graph.output('output', output);
    gradients(loss, inputs).forEach((gradient, i) => graph.output(`gradient${i}`, gradient));
    const session = await GraphSession.create(graph);
    const results = await session.run(Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor])));
    await session.release();

    const plain = tensors.map(({ shape, data }) => ({ shape, data: Array.from(data) }));
    const expected = await peer.call('differentiate', { expression: torch, inputs: plain, seed: Array.from(seed) });
    assert.ok(maxDifference(results.output.data, expected.output) < 1e-5, 'value');
    shapes.forEach((_, i) =>
      assert.ok(maxDifference(results[`gradient${i}`].data, expected.gradients[i]) < 2e-5, `gradient of x${i}`),
    );
  });
}

test('a value used several times gets the sum of its gradients', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2], { trainable: true });
  graph.output('gradient', gradients(sumAll(add(mul(x, x), x)), [x])[0]);
  const session = await GraphSession.create(graph);
  const { gradient } = await session.run({ x: { shape: [2], data: Float32Array.of(3, -1) } });
  assert.deepEqual(Array.from(gradient.data), [7, -1]);
});

test('many additions to one row give the same sum every time', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2, 64], { trainable: true });
  const rows = graph.input('rows', 'int64', ['n']);
  const weights = graph.input('weights', 'float32', ['n', 64]);
  graph.output('gradient', gradients(sumAll(mul(gatherRows(x, rows), weights)), [x])[0]);
  const session = await GraphSession.create(graph);
  const random = seededRandom(1);
  const feeds = {
    x: { shape: [2, 64], data: new Float32Array(128) },
    rows: { shape: [4000], data: new BigInt64Array(4000) },
    weights: { shape: [4000, 64], data: Float32Array.from({ length: 256000 }, () => random.next()) },
  };
  const first = (await session.run(feeds)).gradient.data;
  const total = feeds.weights.data.reduce((sum, value) => sum + value, 0);
  assert.ok(Math.abs(first.reduce((sum, value) => sum + value, 0) / total - 1) < 1e-5);
  for (let i = 0; i < 5; i++) assert.deepEqual((await session.run(feeds)).gradient.data, first);
});

test('mistakes in a graph are errors that say what does not fit', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2, 3], { trainable: true });
  const unused = graph.input('unused', 'float32', [2], { trainable: true });
  assert.throws(() => add(x, graph.input('y', 'float32', [4])), /\[2, 3\] and \[4\] do not broadcast/);
  assert.throws(() => matMul(x, x), /do not multiply/);
  assert.throws(() => gradients(sumAll(x), [unused]), /does not depend on "unused"/);
  assert.throws(() => gradients(x, [x]), /a loss is a scalar/);
});
