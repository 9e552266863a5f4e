import { resolve, type JsonSchema } from './jsonSchema';
import { isLinear } from './pattern';

/** Visits to each part of a value up to which a schema is checked without a deadline. */
const MAXIMUM_VISITS = 10_000;
/** Keywords that hold values, not schemas. */
const VALUES = new Set(['enum', 'const', 'default', 'examples']);

/**
 * Returns whether the time that a check takes grows with the size of the value alone.
 * It does not where references lead to themselves or double at each level, where a
 * pattern needs JavaScript's own engine, and where every two items are compared.
 */
export function isCheap(schema: JsonSchema): boolean {
  try {
    return visits(schema, schema, new Map()) <= MAXIMUM_VISITS;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Keywords that hold schemas by name. */
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas']);

/** Returns the largest number of parts that a check visits, those behind references included. */
function visits(part: unknown, root: JsonSchema, known: Map<object, number>): number {
  if (typeof part !== 'object' || part === null) return 0;
  const before = known.get(part);
  if (before !== undefined) return before;
  known.set(part, Infinity); // what comes back here has no end
  let sum = 1;
  for (const [name, inner] of Object.entries(part)) {
    if (name === '$defs' || name === 'definitions' || VALUES.has(name)) continue;
    if (name === '$ref' && typeof inner === 'string') sum += visits(resolve(root, inner), root, known);
    else if (name === 'pattern' && typeof inner === 'string') sum += isLinear(inner) ? 0 : Infinity;
    else if (name === 'uniqueItems' && inner === true) sum = Infinity;
    else if (MAPS.has(name) && !Array.isArray(part)) sum += visitsOfMap(name, inner, root, known);
    else sum += visits(inner, root, known);
  }
  known.set(part, sum);
  return sum;
}

function visitsOfMap(name: string, map: unknown, root: JsonSchema, known: Map<object, number>): number {
  if (typeof map !== 'object' || map === null) return 0;
  if (name === 'patternProperties' && !Object.keys(map).every(isLinear)) return Infinity;
  return Object.values(map).reduce((sum: number, part) => sum + visits(part, root, known), 0);
}
