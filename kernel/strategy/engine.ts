import * as fs from 'node:fs';
import * as path from 'node:path';
import type { QuickJSContext, QuickJSHandle, QuickJSWASMModule } from 'quickjs-emscripten';
import { driverSource } from './driver';

/** Bytes of stack at which native recursion is stopped, well before the thread's own stack ends: see `SANDBOX_THREAD`. */
const STACK_BYTES = 128 * 1024;

const PAGE = 65_536;
/** Pages of an engine's memory at first, and those of them that the engine itself takes. */
const FIRST_PAGES = 256;
const ENGINE_PAGES = 84;

/** Idle engines of this thread, by memory limit. */
const idle = new Map<number, Engine[]>();
const MOST_IDLE = 32;

/**
 * A QuickJS inside a WebAssembly instance of its own, for one strategy at a time.
 * Creating one takes about 8 ms, most of them garbage collection for its memory, so a
 * released one is reused: its memory is reset to its first content, which leaves
 * nothing of the strategy that had it.
 */
export class Engine {
  /** Called often while a strategy runs; returns whether to stop it. */
  interrupted: () => boolean = () => false;
  /** Whether the strategy asked for more memory than its limit. */
  refusedMemory = false;
  private readonly first: Segment[];

  private constructor(
    private readonly memoryLimit: number,
    private readonly memory: { readonly buffer: ArrayBuffer },
    readonly context: QuickJSContext,
    /** Creates what calls the strategy: see `driverSource`. */
    readonly driver: QuickJSHandle,
  ) {
    context.runtime.setInterruptHandler(() => this.interrupted());
    this.first = snapshot(memory.buffer);
  }

  /** Returns an engine whose strategy's data can grow to `memoryLimit` bytes: an idle one, else a new one. */
  static async acquire(memoryLimit: number): Promise<Engine> {
    const known = idle.get(memoryLimit)?.pop();
    if (known) return known;
    let engine: Engine | undefined;
    const { module, memory } = await instantiate(memoryLimit, () => engine && (engine.refusedMemory = true));
    const runtime = module.newRuntime();
    runtime.setMaxStackSize(STACK_BYTES);
    const context = runtime.newContext({ intrinsics: INTRINSICS });
    const driver = context.unwrapResult(context.evalCode(driverSource(), 'joylab'));
    return (engine = new Engine(memoryLimit, memory, context, driver));
  }

  /** Releases the engine for another strategy. One that is `broken`, or whose memory has grown, is not reused. */
  release(broken: boolean): void {
    this.interrupted = () => false;
    this.refusedMemory = false;
    const { buffer } = this.memory;
    const others = idle.get(this.memoryLimit) ?? [];
    if (broken || buffer.byteLength !== FIRST_PAGES * PAGE || others.length >= MOST_IDLE) return;
    const bytes = new Uint8Array(buffer);
    for (const { at, content } of this.first) bytes.set(content, at);
    idle.set(this.memoryLimit, [...others, this]);
  }
}

/** A part of a memory. */
interface Segment {
  at: number;
  content: Uint8Array;
}

const ZEROS = new Uint8Array(4096);
/**
 * Bytes of a run of zeros that is still kept. A longer one is unused stack of C, or
 * lies above the heap: nothing there is read before it is written.
 */
const LONGEST_GAP = 256 * ZEROS.length;

/**
 * The parts of a new engine's memory that are in use: variables, the top of the stack,
 * the heap. They are the same for all engines.
 */
let used: { from: number; to: number }[] | undefined;

function snapshot(buffer: ArrayBuffer): Segment[] {
  used ??= usedParts(buffer);
  return used.map(({ from, to }) => ({ at: from, content: new Uint8Array(buffer.slice(from, to)) }));
}

function usedParts(buffer: ArrayBuffer): { from: number; to: number }[] {
  const parts: { from: number; to: number }[] = [];
  for (let from = 0; from < buffer.byteLength; from += ZEROS.length) {
    if (Buffer.compare(new Uint8Array(buffer, from, ZEROS.length), ZEROS) === 0) continue;
    const last = parts.at(-1);
    if (last && from - last.to <= LONGEST_GAP) last.to = from + ZEROS.length;
    else parts.push({ from, to: from + ZEROS.length });
  }
  return parts;
}

/** QuickJS's built-in objects, all except the clock (Date) and Proxy. */
const INTRINSICS = {
  BaseObjects: true,
  Eval: true,
  StringNormalize: true,
  RegExp: true,
  RegExpCompiler: true,
  JSON: true,
  MapSet: true,
  TypedArrays: true,
  Promise: true,
  BigInt: true,
} as const;

/** The part of WebAssembly that is used here: its types come with the browser's, which Node.js code does without. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: Imports): Promise<{ exports: object }>;
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};
type Imports = Record<string, Record<string, any>>;

let compiled: Promise<object> | undefined;

/**
 * Returns an instance that cannot grow beyond `memoryLimit` bytes over what the engine
 * takes. `refused` is called when it tries to.
 */
async function instantiate(
  memoryLimit: number,
  refused: () => void,
): Promise<{ module: QuickJSWASMModule; memory: { readonly buffer: ArrayBuffer } }> {
  const { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } = await import('quickjs-emscripten');
  compiled ??= compileEngine();
  // The limit that holds is the memory's own maximum: QuickJS counts little more than the number of its allocations.
  const maximum = Math.max(FIRST_PAGES, ENGINE_PAGES + Math.ceil(memoryLimit / PAGE));
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum });
  const instantiateWasm = async (imports: Imports, receive: (instance: object) => void): Promise<object> => {
    const instance = await WebAssembly.instantiate(await compiled!, watchGrowth(imports, refused));
    receive(instance);
    return instance.exports;
  };
  const emscriptenModule = { instantiateWasm: instantiateWasm as never };
  return {
    module: await newQuickJSWASMModuleFromVariant(
      newVariant(RELEASE_SYNC, { emscriptenModule, wasmMemory: memory, log: () => {} }),
    ),
    memory,
  };
}

/**
 * Calls `refused` when memory cannot grow. The import that grows it has another short
 * name in each version of the engine, and is found by its code.
 */
function watchGrowth(imports: Imports, refused: () => void): Imports {
  const functions = Object.values(imports)[0];
  const name = Object.keys(functions).find(
    (key) => typeof functions[key] === 'function' && String(functions[key]).includes('.grow('),
  );
  if (!name) throw new Error('quickjs-emscripten: no import grows the memory.');
  const grow = functions[name] as (size: number) => boolean;
  functions[name] = (size: number): boolean => {
    const grown = grow(size);
    if (!grown) refused();
    return grown;
  };
  return imports;
}

async function compileEngine(): Promise<object> {
  const from = path.dirname(require.resolve('quickjs-emscripten'));
  const file = require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm', { paths: [from] });
  return WebAssembly.compile(await fs.promises.readFile(file));
}
