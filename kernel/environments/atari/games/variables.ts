import type { StateVariable } from '../../environment';

type Read = (ram: Uint8Array) => number;

/** A variable of a game's state. */
export interface AtariVariable extends StateVariable {
  /** Returns its value from the 128 bytes of the console's memory. */
  read: Read;
}

/** Returns `value`, or the bound that it is beyond. */
export function between(minimum: number, value: number, maximum: number): number {
  return Math.min(Math.max(value, minimum), maximum);
}

/** Returns a variable from 0 to `maximum`; values beyond are clipped. */
export function variable(name: string, description: string, maximum: number, read: Read): AtariVariable {
  return { name, description, minimum: 0, maximum, read: (ram) => between(0, read(ram), maximum) };
}

/** Returns a variable that is a pixel's column, from the left of the 160 × 210 screen. */
export function x(name: string, description: string, read: Read): AtariVariable {
  return variable(name, description, 159, read);
}

/** Returns a variable that is a pixel's row, from the top of the 160 × 210 screen. */
export function y(name: string, description: string, read: Read): AtariVariable {
  return variable(name, description, 209, read);
}

/** Returns the variables of `make(1) … make(count)`: a state has numbered variables in place of lists. */
export function numbered(count: number, make: (number: number) => AtariVariable[]): AtariVariable[] {
  return Array.from({ length: count }, (_, i) => make(i + 1)).flat();
}
