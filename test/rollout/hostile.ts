/**
 * Strategies that attack: what they do at their third call, by how the episode
 * has to end. `played`: nothing comes of it, and the game goes on.
 */
type Reason = 'timeout' | 'memory' | 'error' | 'invalid_action' | 'played';

/** Texts of a function's body, run at the third call. */
const bodies: Record<string, Partial<Record<Reason, string[]>>> = {
  time: {
    timeout: [
      'for (;;);',
      'while (true) {}',
      'do {} while (1);',
      'function f() { try { f(); } finally { f(); } } f();',
      'label: for (;;) { for (;;) continue label; }',
      'for (;;) try { for (;;); } catch {} finally { continue; }',
      'try { for (;;); } catch (e) { return 0; }',
      'try { for (;;); } finally { return 0; }',
      'const f = () => { for (;;) try { for (;;); } catch { f(); } }; f();',
      'return /^(a+)+$/.test("a".repeat(40) + "b");',
      'return /(x+x+)+y/.test("x".repeat(60));',
      'return "a".repeat(50).replace(/(a*)*(a*)*b/, "");',
      'return "a".repeat(50).match(/^(?:a|a)*$(?<!a)/);',
      'return { get action_id() { for (;;); } };',
      'return { toJSON() { for (;;); } };',
      'return { a: { toJSON() { for (;;); } } };',
      'return [{ get 0() { for (;;); } }];',
      'throw { get message() { for (;;); } };',
      'throw { message: { toString() { for (;;); } } };',
      'throw { name: { [Symbol.toPrimitive]() { for (;;); } }, message: "m" };',
      'const e = new Error("x"); Object.defineProperty(e, "stack", { get() { for (;;); } }); throw e;',
      'function* g() { for (;;) yield 1; } for (const x of g()) {}',
      'for (const x of { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }) }) }) {}',
      'const m = new Map([[1, 1]]); for (const [k] of m) { m.delete(k); m.set(k + 1, 1); }',
      'const s = new Set([1]); for (const x of s) { s.delete(x); s.add(x + 1); }',
      '[1, 2, 3].sort(() => { for (;;); });',
      '"x".replace(/x/, () => { for (;;); });',
      'JSON.parse("[1]", () => { for (;;); });',
      'JSON.stringify([1], () => { for (;;); });',
      'eval("for (;;);");',
      'new Function("for (;;);")();',
      '(async () => { for (;;); })(); for (;;);',
      'class A { static { for (;;); } }',
      'const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); fib(60);',
      'let n = 0n; for (;;) n++;',
      'for (let i = 0; i < 1e12; i++) Math.sqrt(i);',
      'const a = Array.from({ length: 3000 }, (_, i) => i); for (;;) a.reverse();',
      'switch (1) { case 1: for (;;) switch (2) { default: } }',
    ],
  },
  native: {
    timeout: [
      '[].indexOf.call({ length: 2 ** 53 }, 1);',
      'Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);',
      'Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);',
      'try { [].indexOf.call({ length: 2 ** 53 }, 1); } catch { return 0; }',
      'Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0);',
      'Array.prototype.unshift.call({ length: 2 ** 53 - 2 }, 1);',
      '(7n ** 300000n).toString();',
    ],
  },
  memory: {
    memory: [
      'const a = []; for (;;) a.push({ a });',
      'const a = []; for (;;) a.push(new Uint8Array(1e6));',
      'return new Uint8Array(1e9).length;',
      'return new Uint8Array(2 ** 31 - 1).length;',
      'return new ArrayBuffer(2 ** 30).byteLength;',
      'return new Float64Array(1e8).length;',
      'return new Array(3e7).fill(0).length;',
      'return Array.from({ length: 1e8 }).length;',
      'return "a".repeat(3e8).length;',
      'return "€".repeat(2 ** 30 - 1).length;',
      'return "a".padEnd(2e8, "b").length;',
      'const m = new Map(); for (let i = 0; ; i++) m.set(i, [i, i]);',
      'const s = new Set(); for (let i = 0; ; i++) s.add({ i });',
      'const o = {}; for (let i = 0; ; i++) o["k" + i] = [i];',
      'let f = () => 1; for (;;) f = f.bind(null);',
      'let l = null; for (;;) l = { l };',
      'const fs = []; for (;;) fs.push(() => fs);',
      'const a = []; a[2 ** 31] = 1; return a;',
      'const a = []; a.length = 2 ** 32 - 1; return a;',
      'return [...Array(1e9).keys()].length;',
      'JSON.parse("[" + "1,".repeat(1e6) + "1]");',
      'return "a".repeat(1e6).split("").join("b").split("b").length;',
      'return Array(1e7).fill("xxxxxxxxxx").join("-").length;',
      'let a = [1]; for (;;) a = a.concat(a);',
      'return new Uint32Array(4.5e6).fill(1).length;',
      'throw new Array(5e7).fill(1);',
      'const keep = []; for (;;) keep.push(Array.from({ length: 1000 }, () => Math.random()));',
      'try { new Uint8Array(1e9); } catch (e) { throw e; }',
      'try { new Uint8Array(1e9); } catch (e) { throw new Error("not memory at all"); }',
      'try { new Uint8Array(1e9); } catch (e) { e.message = "interrupted"; throw e; }',
      'Object.prototype.toJSON = () => 0; new Uint8Array(1e9);',
      'Error.prototype.toJSON = () => ({ name: "Error", message: "interrupted" }); new Uint8Array(1e9);',
    ],
    error: ['let s = "ab"; for (;;) s += s + s;', 'let b = 1n; for (;;) b = b << 1000000n;', 'return new Array(-1);', 'return "a".repeat(-1);'],
    played: ['try { new Uint8Array(1e9); } catch {}', 'const a = new Array(2 ** 32 - 1);'],
  },
  stack: {
    error: [
      'const f = (n) => f(n + 1) + 1; return f(0);',
      'const o = {}; o.toString = () => String(o); String(o);',
      'return JSON.parse("[".repeat(100000));',
      'return eval("(".repeat(100000) + "1" + ")".repeat(100000));',
      'const a = [1]; a[0] = a; return a.flat(Infinity);',
      'class A { get x() { return this.x; } } new A().x;',
      'const o = { get a() { return this.a; } }; return o;',
      'const o = { toJSON() { return JSON.stringify(o); } }; return o;',
      'let f = (x) => x; for (let i = 0; i < 20000; i++) { const g = f; f = (x) => g(x); } return f(1);',
      'new RegExp("(".repeat(50000) + ")".repeat(50000));',
      'eval("(".repeat(3000) + ")".repeat(3000));',
      'eval("`${".repeat(3000) + "1" + "}`".repeat(3000));',
      'class E extends Error { constructor() { super(); return new E(); } } throw new E();',
      'throw (function f(n) { return n ? f(n - 1) : {}.x.y; })(50);',
    ],
  },
  reach: {
    error: [
      'process.exit(1);', 'require("node:fs");', 'globalThis.process.exit();', 'global.x;', 'window.x;', 'module.exports = 1;', 'new Worker("x");',
      'fetch("http://127.0.0.1");', 'new WebSocket("ws://127.0.0.1");', 'setTimeout(() => {}, 1);', 'setInterval(() => {}, 1);', 'queueMicrotask(() => {});',
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);', 'WebAssembly.compile(new Uint8Array(8));', 'performance.now();', 'new Date();', 'Date.now();',
      'new Proxy({}, {});', 'Deno.exit();', 'Bun.sleep(1);', 'print("x");', 'std.exit(1);', 'os.exec(["true"]);', 'bjson.read();', 'gc();', 'quit();', 'load("x.js");', 'scriptArgs[0];',
      'strategy.constructor("return process")();', '({}).constructor.constructor("return require(\'fs\')")();', '(async () => {}).constructor("return process")().x.y;',
      'Reflect.construct(Function, ["return process.env"])();', 'arguments.callee.caller.arguments[0].x.y;', 'structuredClone({});', 'new Intl.NumberFormat();',
      'Error.captureStackTrace({}).x;', 'debugger; undefined.x;', 'this.constructor.constructor("return this")().process.pid;', 'new Buffer(1);',
    ],
    played: [
      'import("node:fs").then((fs) => fs.rmSync("/"), () => {});',
      'import("node:child_process").then(({ execSync }) => execSync("touch /tmp/escaped"), () => {});',
      'globalThis.process = { exit() {} };',
      'console.log("x".repeat(1e5)); console.error(state);',
      'Promise.resolve().then(() => { for (;;); });',
      '(async () => { await null; for (;;); })();',
      'if (typeof process + typeof require + typeof Date + typeof fetch !== "undefined".repeat(4)) throw 1;',
      'if (new Function("return typeof process")() !== "undefined") throw 1;',
      'if ((0, eval)("typeof require") !== "undefined") throw 1;',
      'if (Object.getOwnPropertyNames(globalThis).some((name) => /fs|net|http|child|process|require/i.test(name))) throw 1;',
    ],
  },
  pollution: {
    played: [
      'Object.prototype.polluted = 1; Array.prototype.polluted = 1; Function.prototype.polluted = 1;',
      'Array.prototype.push = Array.prototype.map = Array.prototype.slice = null;',
      'JSON.parse = JSON.stringify = () => "{}";',
      'String.prototype.slice = String.prototype.includes = () => { throw 1; };',
      'Function.prototype.call = Function.prototype.apply = null; Reflect.apply = null;',
      'Math.random = Math.floor = Math.imul = null;',
      'Object.defineProperty(Object.prototype, "board", { set() { throw 1; }, get() { return 1; } });',
      'Object.defineProperty(Array.prototype, 0, { set() { throw 1; }, get() { return 9; } });',
      'Object.defineProperty(Array.prototype, "length", { writable: true });',
      'Array.prototype[Symbol.iterator] = null; delete Array.prototype.keys;',
      'globalThis.undefinedGlobal = strategy; delete globalThis.Math; delete globalThis.JSON;',
      'Symbol.prototype[Symbol.toPrimitive] = null;',
      'Object.setPrototypeOf(Object.prototype, null); Object.freeze(Object.prototype);',
      'Number.prototype.toString = () => "0"; Number.prototype.valueOf = () => 7;',
      'String = Number = Boolean = Symbol = undefined;',
      'Error = TypeError = RangeError = function () {};',
      'Object.prototype.then = 1;',
      'RegExp.prototype.exec = () => null; RegExp.prototype.test = () => true;',
      'state.board = null; state.legal_actions.push(9); Object.freeze(state);',
      'globalThis.globalThis = null; this.x = 1;',
      'Error.prepareStackTrace = () => { throw 1; };',
      'Error.stackTraceLimit = 0;',
      'class B extends Array { static get [Symbol.species]() { throw 1; } } Array.prototype.constructor = B;',
    ],
    invalid_action: ['Object.prototype.then = () => {}; return {};', 'Object.prototype.action_id = 1; return {};', 'String.prototype.toString = () => "LEFT"; return "JUMP";'],
  },
  reason: {
    timeout: [
      'Error.prototype.toJSON = () => ({ name: "Error", message: "harmless" }); for (;;);',
      'Object.prototype.toJSON = () => "harmless"; for (;;);',
      'Object.defineProperty(Array.prototype, 0, { set() { throw new Error("harmless"); } }); for (;;);',
      'Object.defineProperty(Error.prototype, "message", { get() { return "InternalError: out of memory"; } }); for (;;);',
      'InternalError.prototype.name = "TypeError"; for (;;);',
      'Object.defineProperty(InternalError.prototype, "stack", { get() { throw 1; } }); for (;;);',
      'Error.prepareStackTrace = () => "out of memory"; for (;;);',
      'JSON.stringify = () => "u"; String = () => "u"; for (;;);',
      'Array.prototype[Symbol.iterator] = function* () {}; for (;;);',
      'Object.defineProperty(Object.prototype, "name", { get() { return "InternalError"; } }); for (;;);',
      'Symbol.species; Object.prototype[Symbol.toPrimitive] = () => "out of memory"; for (;;);',
      'delete globalThis.Error; delete globalThis.InternalError; for (;;);',
      'globalThis.strategy = () => 0; for (;;);',
    ],
    error: [
      'throw { name: "InternalError", message: "out of memory" };',
      'throw { name: "InternalError", message: "interrupted" };',
      'throw new InternalError("out of memory");',
      'throw new InternalError("interrupted");',
      'const f = () => f(); try { f(); } catch (e) { e.message = "out of memory"; throw e; }',
      'const f = () => f(); try { f(); } catch (e) { e.message = "interrupted"; throw e; }',
      'class InternalError extends Error { name = "InternalError"; } throw new InternalError("out of memory");',
      'throw "interrupted";', 'throw "InternalError: out of memory";', 'throw null;', 'throw undefined;', 'throw 0;', 'throw Symbol("x");', 'throw 1n;', 'throw [];', 'throw {};', 'throw () => {};',
      'throw { get message() { throw 1; } };', 'throw { message: { toString() { throw 1; } } };', 'throw { get name() { throw { get stack() { throw 1; } }; }, message: "m" };',
      'throw Object.create(null);', 'throw { toJSON() { throw 1; } };', 'throw { stack: { toString() { throw 1; } }, message: "m" };', 'throw new Error("x".repeat(1e6));',
      'Error.prototype.toJSON = () => ({ message: "interrupted" }); throw new Error("x");',
      'const e = new Error("x"); e.name = null; e.message = null; throw e;', 'throw { message: "a\\0b", stack: "strategy:0\\nstrategy:99999999999999999999" };',
    ],
  },
  answers: {
    error: [
      'let o = "x"; for (let i = 0; i < 600; i++) o = [o]; return o;', 'let o = "x"; for (let i = 0; i < 2000; i++) o = { o }; return o;', 'let o = "x"; for (let i = 0; i < 4000; i++) o = [o]; return o;',
      'let o = "x"; for (let i = 0; i < 50000; i++) o = [o]; return o;', 'const a = []; a[0] = a; return a;', 'const o = {}; o.action_id = o; return o;', 'return { action_id: 1n };',
      'return { get action_id() { throw new Error("no"); } };', 'return { toJSON() { throw new Error("no"); } };', 'let o = 1; for (let i = 0; i < 900; i++) o = { action_id: o }; return { toJSON: () => o };',
    ],
    invalid_action: [
      'return;', 'return null;', 'return NaN;', 'return Infinity;', 'return -1;', 'return 4;', 'return 0.5;', 'return 2 ** 53;', 'return true;', 'return "";', 'return "JUMP";', 'return "left";', 'return "LEFT\\0";', 'return "__proto__";', 'return "constructor";',
      'return [];', 'return ["LEFT"];', 'return {};', 'return { action_id: "0" };', 'return { action_id: NaN };', 'return { action_id: 1, extra: 1 };', 'return { ["__proto__"]: { action_id: 1 } };', 'return JSON.parse(\'{"__proto__":{"action_id":1}}\');',
      'return strategy;', 'return Symbol();', 'return 5n;', 'return Promise.resolve(0);', 'return { then() {} };', 'return (async () => 0)();', 'return new Map([["action_id", 0]]);', 'return new Boolean(true);', 'return new Number(NaN);',
      'return Array(1e5).fill(1);', 'return "x".repeat(1e6);', 'return new Uint8Array(4);', 'return /x/;', 'return new Error("x");', 'return globalThis;', 'return { toString: () => "LEFT" };', 'return { valueOf: () => 0 };', 'return "k0";', 'return "n1";', 'return "\\ud800";',
    ],
    played: ['return new Number(1);', 'return new String("LEFT");', 'return { toJSON: () => 1 };', 'return -0;', 'return { action_id: 0 };', 'return Object.assign(Object.create(null), { action_id: 0 });'],
  },
};

/** Whole sources. */
const sources: [Reason, string][] = [
  ['invalid_action', 'async function strategy() { return 0; }'],
  ['invalid_action', 'const strategy = async () => 0;'],
  ['invalid_action', 'function* strategy() { yield 0; }'],
  ['invalid_action', 'async function* strategy() { yield 0; }'],
  ['timeout', 'async function strategy() { for (;;); }'],
  ['timeout', 'for (;;);\nfunction strategy() { return 0; }'],
  ['timeout', '[].indexOf.call({ length: 2 ** 53 }, 1);\nfunction strategy() { return 0; }'],
  ['timeout', 'Error.prototype.toJSON = () => "x"; for (;;);\nfunction strategy() { return 0; }'],
  ['timeout', 'Object.defineProperty(globalThis, "strategy", { get() { for (;;); } });'],
  ['timeout', 'throw { get message() { for (;;); } };\nfunction strategy() { return 0; }'],
  ['memory', 'const a = []; for (;;) a.push(new Uint8Array(1e5));\nfunction strategy() { return 0; }'],
  ['error', 'throw { name: "InternalError", message: "out of memory" };\nfunction strategy() { return 0; }'],
  ['error', 'throw null;\nfunction strategy() { return 0; }'],
  ['error', 'const strategy = 1;'],
  ['error', 'function other() {}'],
  ['error', 'class strategy {}'],
  ['error', 'function strategy( {'],
  ['error', 'import fs from "node:fs";\nfunction strategy() { return 0; }'],
  ['error', 'export default function strategy() { return 0; }'],
  ['error', 'const x = await 1;\nfunction strategy() { return 0; }'],
  ['error', 'import.meta.url;\nfunction strategy() { return 0; }'],
  ['error', '\0'],
  ['error', '('.repeat(50_000)],
  ['error', `${'a'.repeat(100_001)}`],
  ['error', `type T<A> = A extends ${'(infer U extends '.repeat(25)}any${' ? 1 : 2)'.repeat(25)} ? 1 : 2;\nfunction strategy(s: any) { return 0; }`],
  ['error', `let x: any = ${'a?.b+'.repeat(19_000)}a;\nfunction strategy(s: any) { return 0; }`],
  ['error', `let a: = ;\n`.repeat(9000)],
  ['error', `let x: any = ${'(('.repeat(20_000)}1${'))'.repeat(20_000)};\nfunction strategy(s: any) { return 0; }`],
  ['error', `let x: any = ${'`${'.repeat(12_000)}1${'}`'.repeat(12_000)};\nfunction strategy(s: any) { return 0; }`],
];

/** Those that guess: seeds of known generators, for what was drawn or seen. They end as `error` where one of them fits. */
const guessers: string[] = [
  // mulberry32
  `const first = Math.random();
   for (let seed = 0; seed < 3000; seed++) {
     let a = (seed + 0x6d2b79f5) | 0;
     let t = Math.imul(a ^ (a >>> 15), 1 | a);
     t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
     if (((t ^ (t >>> 14)) >>> 0) / 4294967296 === first) throw new Error('found');
   }`,
  // sfc32, with the seed as its state
  `const first = Math.random();
   for (let seed = 0; seed < 800; seed++) for (const rounds of [0, 12, 15]) {
     let [a, b, c, n, sum] = [seed, 0, 0, 1, 0];
     for (let i = 0; i <= rounds; i++) { sum = (a + b + n++) | 0; a = b ^ (b >>> 9); b = (c + (c << 3)) | 0; c = (((c << 21) | (c >>> 11)) + sum) | 0; }
     if ((sum >>> 0) / 4294967296 === first) throw new Error('found');
   }`,
  `if (/seed/.test(String(Math.random)) || 'seed' in globalThis || 'seed' in state || !/^board,legal_actions,up_points,.*,left_pairs,score,highest_tile$/.test(Object.keys(state).join())) throw new Error('found');`,
  `for (const name of Object.getOwnPropertyNames(globalThis)) { const value = globalThis[name]; if (typeof value === 'string' || Number.isFinite(value)) throw new Error('found'); }`,
];

const played = 'return state.legal_actions[0];';
const atThirdCall = (text: string): string => `let calls = 0;\nfunction strategy(state) {\n  if (calls++ === 2) {\n    ${text}\n  }\n  ${played}\n}`;

export interface Hostile {
  group: string;
  reason: Reason;
  code: string;
}

/** All of them, each a different text. */
export const hostile: Hostile[] = [
  ...Object.entries(bodies).flatMap(([group, byReason]) =>
    Object.entries(byReason).flatMap(([reason, texts]) => texts.map((text) => ({ group, reason: reason as Reason, code: atThirdCall(text) }))),
  ),
  ...sources.map(([reason, code]) => ({ group: 'whole sources', reason, code })),
  ...guessers.map((text) => ({ group: 'seeds', reason: 'played' as const, code: atThirdCall(text) })),
];

/** Neighbours: what they do follows from their own calls, their random numbers and what they see of the world. */
export const neighbours = [
  'function strategy({ legal_actions }) { return legal_actions[Math.floor(Math.random() * legal_actions.length)]; }',
  'let n = 0;\nfunction strategy({ legal_actions }) { return legal_actions[n++ % legal_actions.length]; }',
  `const own = Object.getOwnPropertyNames(globalThis).length;
function strategy(state) {
  if (({}).polluted !== undefined || [].polluted !== undefined || JSON.parse('[1]')[0] !== 1 || Object.getOwnPropertyNames(globalThis).length !== own || typeof [].map !== 'function') throw new Error('polluted');
  return { action_id: state.legal_actions[own % state.legal_actions.length] };
}`,
];
