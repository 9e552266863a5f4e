import { isObject } from '../../models/checkpoint/jsonFile';

/*
 * Checks of the values of a checkpoint, which may come from elsewhere.
 */

export type Accepts = (value: unknown) => boolean;

export const isText: Accepts = (value) => typeof value === 'string';
export const isNumber: Accepts = (value) => Number.isFinite(value);
export const isWhole: Accepts = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

export function orNull(accepts: Accepts): Accepts {
  return (value) => value === null || accepts(value);
}

export function optional(accepts: Accepts): Accepts {
  return (value) => value === undefined || accepts(value);
}

export function listOf(accepts: Accepts): Accepts {
  return (value) => Array.isArray(value) && value.every(accepts);
}

export function recordOf(accepts: Accepts): Accepts {
  return (value) => isObject(value) && Object.values(value).every(accepts);
}

/** Accepts an object that has these entries; others are ignored. */
export function objectOf(kinds: Record<string, Accepts>): Accepts {
  return (value) => isObject(value) && Object.entries(kinds).every(([name, accepts]) => accepts(value[name]));
}
