import { types } from 'node:util';
import type { Completion } from '../../jupyter/interpreter';
import type { Variables } from '../variables';

const PATH = /([\p{ID_Start}$_][\p{ID_Continue}$]*(?:\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*)\.([\p{ID_Continue}$]*)$/u;
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const MAXIMUM = 200;

/**
 * Returns the keys of a value as completions, for values whose type does not
 * have them, such as the result of `JSON.parse` or `process.env`. It runs no code
 * of the user.
 */
export function completeValue(variables: Variables, code: string, position: number): Completion | null {
  const match = PATH.exec(code.slice(0, position));
  if (!match) return null;
  const [root, ...path] = match[1].split('.');
  const start: unknown = variables.has(root) ? variables.get(root) : dataProperty(globalThis, root);
  const value = path.reduce(dataProperty, start);
  if (!isInspectable(value) || Array.isArray(value)) return null;
  const matches = Object.keys(value)
    .filter((key) => key.startsWith(match[2]) && IDENTIFIER.test(key))
    .slice(0, MAXIMUM);
  if (matches.length === 0) return null;
  return { matches, start: position - match[2].length, end: position, types: matches.map(() => 'property') };
}

/** Returns the value of a property, without calling a getter. */
function dataProperty(value: unknown, key: string): unknown {
  return isInspectable(value)
    ? (Object.getOwnPropertyDescriptor(value, key)?.value ?? (value === globalThis ? globalValue(key) : undefined))
    : undefined;
}

/** Returns the value of a global that Node.js defines by a getter. */
function globalValue(key: string): unknown {
  return key === 'process' ? process : undefined;
}

function isInspectable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !types.isProxy(value);
}
