import type { Reason } from './hostile';

/** Whole sources. */
export const sources: [Reason, string][] = [
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
  [
    'error',
    `type T<A> = A extends ${'(infer U extends '.repeat(25)}any${' ? 1 : 2)'.repeat(25)} ? 1 : 2;\nfunction strategy(s: any) { return 0; }`,
  ],
  ['error', `let x: any = ${'a?.b+'.repeat(19_000)}a;\nfunction strategy(s: any) { return 0; }`],
  ['error', `let a: = ;\n`.repeat(9000)],
  ['error', `let x: any = ${'(('.repeat(20_000)}1${'))'.repeat(20_000)};\nfunction strategy(s: any) { return 0; }`],
  ['error', `let x: any = ${'`${'.repeat(12_000)}1${'}`'.repeat(12_000)};\nfunction strategy(s: any) { return 0; }`],
];

/** Strategies that guess the seeds of known random generators. They end as `error` where one fits. */
export const guessers: string[] = [
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
  `if (/seed/.test(String(Math.random)) || 'seed' in globalThis || 'seed' in state || !/^board,legal_actions,up_points,.*,left_room,score,highest_tile,blocked$/.test(Object.keys(state).join())) throw new Error('found');`,
  `for (const name of Object.getOwnPropertyNames(globalThis)) { const value = globalThis[name]; if (typeof value === 'string' || Number.isFinite(value)) throw new Error('found'); }`,
];
