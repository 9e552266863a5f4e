/*
 * Names in the JavaScript of a cell that the user's code cannot clash with.
 */

/** The object whose properties are the notebook's variables. */
export const SCOPE = '__cells__';

/** Name of the cell's {@link CellRuntime}: see runtime.ts. */
export const RUNTIME = '__joylab__';

/** Name of the global that guarded code uses; see interrupt/interrupts.ts. */
export const GUARD = '__joylab_interrupt__';

/** Name of the number of interrupts before the code around began. */
export const REGION = '__joylab_began__';

const LOAD = `${GUARD}\\[\\d\\]`;
const GUARDS = new RegExp(
  `\\s*(?:(?:${LOAD} (?:=== 1 )?&& )?${GUARD}\\.\\w+\\((?:${REGION})?\\)(?:;|, )|const ${REGION} = ${LOAD};)`,
  'g',
);
const RESUMED = new RegExp(`${GUARD}\\.resumed(?=\\()|, ${REGION}(?=\\))`, 'g');
const CALLS = new RegExp(`\\(0, ${SCOPE}\\.([\\p{ID_Continue}$]+)\\)`, 'gu');
const NAMES = new RegExp(`\\b${SCOPE}\\.`, 'g');

/** The text of a function as the user wrote it: such text may run where the kernel's names do not exist. */
export function withoutNames(text: string): string {
  return text.includes('__')
    ? text.replace(GUARDS, '').replace(RESUMED, '').replace(CALLS, '$1').replace(NAMES, '')
    : text;
}

/** Namespaces of types that the kernel declares are called so, followed by a number: see environmentTypes.ts. */
export const TYPES_NAMESPACE = '__types_';

/** The path of joylab's own declarations. */
const JOYLAB = /import\("[^"]*\/dist\/kernel\/index"\)/g;

const PLACES = new RegExp(`import\\("[^"]*__(?:cell_?\\d*_?|types)_"\\)\\.|\\b${TYPES_NAMESPACE}\\d+\\.`, 'g');

/** A text of TypeScript's about a cell, without where the kernel keeps the types that it names. */
export function withoutPlaces(text: string): string {
  return text.replace(PLACES, '').replace(JOYLAB, 'import("joylab")');
}
