/*
 * The inner loop of AdamW as WebAssembly, four elements at a time: JavaScript
 * computes square roots and quotients one by one, and in double precision.
 */

/** Factors of a step, the same for all elements of a tensor. */
export interface AdamWRates {
  /** Gradients are multiplied by it first. */
  factor: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  stepSize: number;
  squareScale: number;
  shrink: number;
}

/** Elements that are computed at a time: the four arrays fill one page of memory. */
const CHUNK = 4096;
const BYTES = 4 * CHUNK;

interface Kernel {
  arrays: Float32Array[];
  step(bytes: number, ...rates: number[]): void;
}

/** The part of WebAssembly that is used here: its types come with the browser's, which Node.js code does without. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer }; step: Kernel['step'] } };
};

let kernel: Kernel | undefined;

/**
 * Makes one step of a tensor, in place:
 * mean ← β₁ mean + (1 − β₁) g, square ← β₂ square + (1 − β₂) g² with g = factor · gradient,
 * parameter ← shrink · parameter − stepSize · mean / (squareScale · √square + epsilon).
 */
export function adamwStep(
  parameter: Float32Array,
  gradient: Float32Array,
  mean: Float32Array,
  square: Float32Array,
  rates: AdamWRates,
): void {
  const { factor, beta1, beta2, epsilon, stepSize, squareScale, shrink } = rates;
  const { arrays, step } = (kernel ??= makeKernel());
  const tensors = [parameter, gradient, mean, square];
  for (let start = 0; start < parameter.length; start += CHUNK) {
    const end = Math.min(start + CHUNK, parameter.length);
    tensors.forEach((tensor, i) => arrays[i].set(tensor.subarray(start, end)));
    step(4 * (end - start), factor, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, stepSize, squareScale, shrink);
    const whole = end - start === CHUNK;
    for (const i of [0, 2, 3]) tensors[i].set(whole ? arrays[i] : arrays[i].subarray(0, end - start), start);
  }
}

function makeKernel(): Kernel {
  const { memory, step } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes())).exports;
  return { arrays: [0, 1, 2, 3].map((i) => new Float32Array(memory.buffer, i * BYTES, CHUNK)), step };
}

/** The function's parameters and variables, by their numbers. */
const [LENGTH, FACTOR, BETA1, REST1, BETA2, REST2, EPSILON, STEP_SIZE, SCALE, SHRINK, AT, GRADIENT, MEAN, SQUARE] =
  Array(14).keys();

/** The instructions that are used, in WebAssembly's binary format. */
const code = {
  get: (variable: number) => [0x20, variable],
  set: (variable: number) => [0x21, variable],
  keep: (variable: number) => [0x22, variable],
  /** Four elements of an array, at the variable AT. */
  load: (array: number) => [...code.get(AT), 0xfd, 0x00, 0x04, ...unsigned(array * BYTES)],
  store: (array: number, values: number[]) => [
    ...code.get(AT),
    ...values,
    0xfd,
    0x0b,
    0x04,
    ...unsigned(array * BYTES),
  ],
  /** A parameter four times. */
  all: (parameter: number) => [...code.get(parameter), 0xfd, 0x13],
  sqrt: (a: number[]) => [...a, 0xfd, 0xe3, 0x01],
  add: (a: number[], b: number[]) => [...a, ...b, 0xfd, 0xe4, 0x01],
  sub: (a: number[], b: number[]) => [...a, ...b, 0xfd, 0xe5, 0x01],
  mul: (a: number[], b: number[]) => [...a, ...b, 0xfd, 0xe6, 0x01],
  div: (a: number[], b: number[]) => [...a, ...b, 0xfd, 0xe7, 0x01],
};

function loop(): number[] {
  const { get, set, keep, load, store, all, sqrt, add, sub, mul, div } = code;
  const [g, m, v] = [get(GRADIENT), get(MEAN), get(SQUARE)];
  return [
    ...[0x03, 0x40],
    ...[...mul(load(1), all(FACTOR)), ...set(GRADIENT)],
    ...store(2, [...add(mul(all(BETA1), load(2)), mul(all(REST1), g)), ...keep(MEAN)]),
    ...store(3, [...add(mul(all(BETA2), load(3)), mul(all(REST2), mul(g, g))), ...keep(SQUARE)]),
    ...store(
      0,
      sub(mul(load(0), all(SHRINK)), div(mul(all(STEP_SIZE), m), add(mul(sqrt(v), all(SCALE)), all(EPSILON)))),
    ),
    // AT += 16, and again while it is below LENGTH.
    ...[...get(AT), 0x41, 16, 0x6a, ...keep(AT), ...get(LENGTH), 0x49, 0x0d, 0x00, 0x0b],
  ];
}

/** Returns a module that exports one page of `memory`, and `step`. */
function moduleBytes(): Uint8Array {
  const [i32, f32, v128] = [0x7f, 0x7d, 0x7b];
  const locals = [2, 1, i32, 3, v128];
  const body = [...locals, ...loop(), 0x0b];
  const section = (id: number, content: number[]) => [id, ...unsigned(content.length), ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 10, i32, ...Array(9).fill(f32), 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('step'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** Returns a number as LEB128, as WebAssembly writes it. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...unsigned(Math.floor(value / 128))];
}
