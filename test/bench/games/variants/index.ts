import { random } from './random';
import { references } from './references';
import { frozen, plain, trained } from './trained';
import { untrained } from './untrained';
import type { Variant } from './variant';

/** The ways to get strategies, in the order of the table. */
export const VARIANTS: Record<string, Variant> = { references, untrained, plain, random, frozen, trained };

/** Returns a variant by name. Throws a RangeError when there is none. */
export function variantNamed(name: string): Variant {
  if (!Object.hasOwn(VARIANTS, name))
    throw new RangeError(`There is no variant ${name}. The variants are: ${Object.keys(VARIANTS).join(', ')}.`);
  return VARIANTS[name];
}
