import type { StateVariable } from '../../environment';

type Read = (ram: Uint8Array) => number;

/** A variable of a game's state. */
export interface AtariVariable extends StateVariable {
  /** Its value, from the 128 bytes of the console's memory. */
  read: Read;
}

/** `value`, or the bound that it lies beyond. */
export function between(minimum: number, value: number, maximum: number): number {
  return Math.min(Math.max(value, minimum), maximum);
}

/** A number of a game's state; what is read beyond its range is cut off there. */
export function variable(name: string, description: string, maximum: number, read: Read): AtariVariable {
  return { name, description, minimum: 0, maximum, read: (ram) => between(0, read(ram), maximum) };
}

/** A pixel's column, from the left of the 160 × 210 screen. */
export function x(name: string, description: string, read: Read): AtariVariable {
  return variable(name, description, 159, read);
}

/** A pixel's row, from the top of the 160 × 210 screen. */
export function y(name: string, description: string, read: Read): AtariVariable {
  return variable(name, description, 209, read);
}

/** `make(1) … make(count)`, one after the other: a list in a state is its numbered variables. */
export function numbered(count: number, make: (number: number) => AtariVariable[]): AtariVariable[] {
  return Array.from({ length: count }, (_, i) => make(i + 1)).flat();
}
