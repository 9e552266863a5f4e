import { EventEmitter } from 'node:events';
import Module from 'node:module';
import { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';

/*
 * Cells run among the same objects as the kernel: a cell that replaces what
 * the kernel uses would leave it unable to run another. What no longer works,
 * since it is not a function or is gone, is restored after the cell. What the
 * user replaced by a function stays, and the kernel has the original while it
 * works. Code here that runs after a cell uses nothing that may be replaced.
 */

type Key = string | symbol;

/** A property as it was when the kernel started. */
interface Kept {
  owner: any;
  key: Key;
  name: string;
  descriptor: PropertyDescriptor;
  /** Its value; for an accessor of the language, its getter. */
  value: unknown;
  /** Whether it belongs to the language (ECMAScript), not to Node.js. */
  core: boolean;
}

/** Globals that the kernel needs. */
const GLOBALS =
  `Object Function Array String Number Boolean Symbol BigInt Promise Map Set WeakMap WeakSet WeakRef RegExp Date Error TypeError RangeError
  SyntaxError ArrayBuffer SharedArrayBuffer DataView Uint8Array Int32Array Float32Array Float64Array JSON Reflect Atomics Proxy Math
  process Buffer console setTimeout clearTimeout setImmediate clearImmediate setInterval clearInterval queueMicrotask structuredClone performance
  URL AbortController AbortSignal EventTarget Event MessageChannel TextEncoder TextDecoder parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent`.split(
    /\s+/,
  );
/** Those of the language whose originals the kernel uses while the user has others. Not `Date`, timers and the like, which tests replace. */
const LANGUAGE = GLOBALS.slice(0, GLOBALS.indexOf('Math')).filter((name) => name !== 'Date');

/** Keys that change how the kernel's own objects behave when a cell adds them to a prototype of {@link EXTENDED}; so do array indices. */
const HARMFUL: Key[] = [
  'then',
  'toJSON',
  'get',
  'set',
  'value',
  'writable',
  'enumerable',
  'configurable',
  Symbol.toPrimitive,
  Symbol.toStringTag,
  Symbol.iterator,
  Symbol.asyncIterator,
];
const EXTENDED = {
  Object: Object.prototype,
  Array: Array.prototype,
  String: String.prototype,
  Function: Function.prototype,
};

/** Names that one message lists, at most. */
const MAXIMUM_LISTED = 10;

const { getOwnPropertyDescriptor, defineProperty, getPrototypeOf } = Object;
const { ownKeys, deleteProperty } = Reflect;

const kept: Kept[] = [];
const prototypes: Array<{ name: string; prototype: object; keys: Key[] }> = [];
/** Parts of the language that the user has replaced by functions. */
let replaced: Array<{ entry: Kept; now: PropertyDescriptor }> = [];

/** Records the originals. Called once, after the kernel has made its own changes. */
export function keepIntrinsics(): void {
  for (const name of GLOBALS) keep(globalThis, name, name, false);
  for (const [name, owner] of languageObjects())
    for (const key of ownKeys(owner)) keep(owner, key, `${name}.${String(key)}`, true);
  for (const [name, owner] of Object.entries(nodeObjects()))
    for (const key of ownKeys(owner)) keep(owner, key, `${name}.${String(key)}`, false);
  for (const [name, prototype] of Object.entries(EXTENDED))
    prototypes.push({ name, prototype, keys: ownKeys(prototype) });
}

function keep(owner: any, key: Key, name: string, core: boolean): void {
  const descriptor = getOwnPropertyDescriptor(owner, key);
  if (!descriptor || (!descriptor.configurable && !descriptor.writable)) return;
  // It inherits nothing that a cell may add to all objects.
  Object.setPrototypeOf(descriptor, null);
  const isGlobal = owner === globalThis;
  if (descriptor.get && !core && !isGlobal) return;
  const value = descriptor.get && !isGlobal ? descriptor.get : owner[key];
  if (typeof value === 'function' || (isGlobal && typeof value === 'object'))
    kept.push({ owner, key, name, descriptor, value, core });
}

/** Returns the language's constructors with their prototypes, its namespaces, and the prototypes that have no name. */
function languageObjects(): Array<[string, object]> {
  const named = LANGUAGE.flatMap((name): Array<[string, object]> => {
    const value = (globalThis as any)[name];
    return value.prototype
      ? [
          [name, value],
          [`${name}.prototype`, value.prototype],
        ]
      : [[name, value]];
  });
  const above = (value: object, levels = 1): object =>
    levels === 0 ? value : above(getPrototypeOf(value), levels - 1);
  return [
    ...named,
    ['Iterator.prototype', above([][Symbol.iterator](), 2)],
    ['ArrayIterator.prototype', above([][Symbol.iterator]())],
    ['MapIterator.prototype', above(new Map().entries())],
    ['SetIterator.prototype', above(new Set().values())],
    ['StringIterator.prototype', above(''[Symbol.iterator]())],
    ['RegExpStringIterator.prototype', above(''.matchAll(/x/g))],
    ['Generator.prototype', above((function* () {})(), 2)],
    ['AsyncGenerator.prototype', above((async function* () {})(), 2)],
    ['TypedArray', above(Uint8Array)],
    ['TypedArray.prototype', above(Uint8Array.prototype)],
  ];
}

/** Returns the parts of Node.js that the kernel uses. */
function nodeObjects(): Record<string, object> {
  return {
    process,
    'process.stdout': process.stdout,
    'process.stderr': process.stderr,
    console,
    Buffer,
    'Buffer.prototype': Buffer.prototype,
    'EventEmitter.prototype': EventEmitter.prototype,
    'Readable.prototype': Readable.prototype,
    'Writable.prototype': Writable.prototype,
    'Worker.prototype': Worker.prototype,
    Module,
    'Module.prototype': Module.prototype,
    fs: require('node:fs'),
    vm: require('node:vm'),
    path: require('node:path'),
  };
}

function stateOf({ owner, key, value, descriptor }: Kept): 'same' | 'other' | 'broken' {
  if (descriptor.get && owner !== globalThis) {
    const now = getOwnPropertyDescriptor(owner, key)?.get;
    return now === value ? 'same' : typeof now === 'function' ? 'other' : 'broken';
  }
  try {
    const now = owner[key];
    return now === value ? 'same' : typeof now === typeof value && now !== null ? 'other' : 'broken';
  } catch {
    return 'broken';
  }
}

/** Names of what was restored, and of what could not be. */
export interface Repair {
  restored: string[];
  lost: string[];
}

/** Restores what no longer works, and notes what the user has replaced by functions. */
export function repairIntrinsics(): Repair {
  const repair: Repair = { restored: [], lost: [] };
  replaced = [];
  for (let i = 0; i < prototypes.length; i++) removeAdditions(prototypes[i], repair);
  for (let i = 0; i < kept.length; i++) {
    const entry = kept[i];
    const state = stateOf(entry);
    if (state === 'broken') add(restore(entry) ? repair.restored : repair.lost, entry.name);
    else if (state === 'other' && entry.core)
      add(replaced, { entry, now: getOwnPropertyDescriptor(entry.owner, entry.key)! });
  }
  return repair;
}

function removeAdditions({ name, prototype, keys }: (typeof prototypes)[number], { restored, lost }: Repair): void {
  const now = ownKeys(prototype);
  if (now.length === keys.length) return;
  for (let i = 0; i < now.length; i++) {
    const key = now[i];
    if (isIn(keys, key) || !(isIn(HARMFUL, key) || isNumber(key))) continue;
    add(
      deleteProperty(prototype, key) ? restored : lost,
      `${name}.prototype[${typeof key === 'string' ? key : 'symbol'}]`,
    );
  }
}

/** Writes what {@link repairIntrinsics} did, in a sentence each. */
export function reportRepair({ restored, lost }: Repair, write: (text: string) => void): void {
  if (restored.length > 0) write(`Put back, since the kernel needs it: ${list(restored)}.\n`);
  if (lost.length > 0)
    write(`The kernel needs what was replaced for good: ${list(lost)}. Restart the kernel if cells fail.\n`);
}

function list(names: string[]): string {
  return (
    names.slice(0, MAXIMUM_LISTED).join(', ') +
    (names.length > MAXIMUM_LISTED ? ` and ${names.length - MAXIMUM_LISTED} more` : '')
  );
}

function restore(entry: Kept): boolean {
  return define(entry, entry.descriptor);
}

/** Defines the property. Returns `false` when it cannot be changed. */
function define({ owner, key, value }: Kept, descriptor: PropertyDescriptor): boolean {
  try {
    defineProperty(owner, key, descriptor);
    // A global with a setter has its value there.
    if (owner === globalThis && descriptor.set) owner[key] = value;
    return true;
  } catch {
    return false;
  }
}

/** Runs `work` of the kernel with the originals of the language, and gives the user's back after it. */
export function inKernel<T>(work: () => T): T {
  if (replaced.length === 0) return work();
  const swapped = replaced;
  replaced = [];
  for (let i = 0; i < swapped.length; i++) restore(swapped[i].entry);
  try {
    return work();
  } finally {
    for (let i = 0; i < swapped.length; i++) define(swapped[i].entry, swapped[i].now);
    replaced = swapped;
  }
}

function add<T>(list: T[], item: T): void {
  defineProperty(list, list.length, {
    __proto__: null,
    value: item,
    writable: true,
    enumerable: true,
    configurable: true,
  } as PropertyDescriptor);
}

function isIn(keys: Key[], key: Key): boolean {
  for (let i = 0; i < keys.length; i++) if (keys[i] === key) return true;
  return false;
}

function isNumber(key: Key): boolean {
  return typeof key === 'string' && key !== '' && +key >= 0;
}
