import type { onnx as Onnx } from 'onnx-proto';
import type { Attribute, Graph, GraphConstant, GraphNode } from './graph';
import type { ElementType, Value } from './value';

/** Versions of the operator sets that the graphs are written in. */
const OPSETS = [
  { domain: '', version: 21 },
  { domain: 'com.microsoft', version: 1 },
];
const IR_VERSION = 10;

/** Returns a graph as the bytes of an ONNX model file. */
export function encodeModel(graph: Graph): Uint8Array {
  const { onnx } = require('onnx-proto') as typeof import('onnx-proto');
  return onnx.ModelProto.encode({ ...modelHeader(), graph: graphProto(onnx, graph, new Set()) }).finish();
}

/**
 * Returns the bytes of a model without its graph, and those of the graph without the
 * inputs named in `tensors`, which become initializers that the caller appends.
 */
export function encodeParts(graph: Graph, tensors: ReadonlySet<string>): { model: Uint8Array; graph: Uint8Array } {
  const { onnx } = require('onnx-proto') as typeof import('onnx-proto');
  return {
    model: onnx.ModelProto.encode(modelHeader()).finish(),
    graph: onnx.GraphProto.encode(graphProto(onnx, graph, tensors)).finish(),
  };
}

function modelHeader(): Onnx.IModelProto {
  return { irVersion: IR_VERSION, producerName: 'joylab', opsetImport: OPSETS };
}

function graphProto(onnx: typeof Onnx, graph: Graph, tensors: ReadonlySet<string>): Onnx.IGraphProto {
  const { names, copies } = outputNames(graph);
  const called = (name: string) => names.get(name) ?? name;
  return {
    name: 'graph',
    node: [
      ...neededNodes(graph).map((node) => ({
        opType: node.operator,
        domain: node.domain,
        input: node.inputs.map(called),
        output: node.outputs.map(called),
        attribute: Object.entries(node.attributes).map(([name, attribute]) => encodeAttribute(onnx, name, attribute)),
      })),
      ...copies.map(([name, value]) => ({ opType: 'Identity', input: [called(value.name)], output: [name] })),
    ],
    input: graph.inputs.filter(({ name }) => !tensors.has(name)).map((input) => encodeValue(onnx, input.name, input)),
    output: [...graph.outputs].map(([name, value]) => encodeValue(onnx, name, value)),
    initializer: graph.constants.map((constant) => encodeConstant(onnx, constant)),
  };
}

/**
 * Returns the nodes that some output depends on. Those that no other node reads come
 * last, in reverse order: ONNX Runtime starts from the last of these and goes through
 * what it depends on. So results are made, and what they need is freed, in the order
 * in which they were added to the graph, such as gradients layer by layer in the
 * backward pass.
 */
function neededNodes(graph: Graph): GraphNode[] {
  const outputs = new Set([...graph.outputs.values()].map((value) => value.name));
  const read = new Set<string>();
  const [inner, last]: GraphNode[][] = [[], []];
  for (const node of [...graph.nodes].reverse()) {
    const isRead = node.outputs.some((name) => read.has(name));
    if (!isRead && !node.outputs.some((name) => outputs.has(name))) continue;
    for (const name of node.inputs) read.add(name);
    (isRead ? inner : last).push(node);
  }
  return [...inner.reverse(), ...last];
}

/**
 * Returns names for the values that are outputs, which are the outputs' own so that
 * nothing is copied, and the copies that remain: outputs that are inputs, constants,
 * or values named twice.
 */
function outputNames(graph: Graph): { names: Map<string, string>; copies: [string, Value][] } {
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const names = new Map<string, string>();
  const copies: [string, Value][] = [];
  for (const [name, value] of graph.outputs) {
    if (computed.has(value.name) && !names.has(value.name)) names.set(value.name, name);
    else copies.push([name, value]);
  }
  return { names, copies };
}

function elementType(onnx: typeof Onnx, type: ElementType): number {
  const types = onnx.TensorProto.DataType;
  return {
    float32: types.FLOAT,
    int64: types.INT64,
    int32: types.INT32,
    int8: types.INT8,
    uint8: types.UINT8,
    bool: types.BOOL,
  }[type];
}

function encodeValue(onnx: typeof Onnx, name: string, value: Value): Onnx.IValueInfoProto {
  const dim = value.shape.map((dimension) =>
    typeof dimension === 'number' ? { dimValue: dimension } : { dimParam: dimension },
  );
  return { name, type: { tensorType: { elemType: elementType(onnx, value.type), shape: { dim } } } };
}

function encodeConstant(onnx: typeof Onnx, { name, type, shape, data }: GraphConstant): Onnx.ITensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape, dataType: elementType(onnx, type), rawData };
}

function encodeAttribute(onnx: typeof Onnx, name: string, attribute: Attribute): Onnx.IAttributeProto {
  const types = onnx.AttributeProto.AttributeType;
  switch (attribute.kind) {
    case 'int':
      return { name, type: types.INT, i: attribute.value };
    case 'float':
      return { name, type: types.FLOAT, f: attribute.value };
    case 'ints':
      return { name, type: types.INTS, ints: attribute.value };
    case 'string':
      return { name, type: types.STRING, s: Buffer.from(attribute.value) };
  }
}
