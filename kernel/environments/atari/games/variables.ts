import { between, type StateVariable } from '../../environment';

type Read = (ram: Uint8Array) => number;

/** A number of a game's state; what is read beyond its range is cut off there. */
export function variable(name: string, description: string, maximum: number, read: Read): StateVariable {
  return { name, description, minimum: 0, maximum, read: ram => between(0, read(ram), maximum) };
}

/** A pixel's column, from the left of the 160 × 210 screen. */
export function x(name: string, description: string, read: Read): StateVariable {
  return variable(name, description, 159, read);
}

/** A pixel's row, from the top of the 160 × 210 screen. */
export function y(name: string, description: string, read: Read): StateVariable {
  return variable(name, description, 209, read);
}

/** `make(1) … make(count)`, one after the other: a list in a state is its numbered variables. */
export function numbered(count: number, make: (number: number) => StateVariable[]): StateVariable[] {
  return Array.from({ length: count }, (_, i) => make(i + 1)).flat();
}
