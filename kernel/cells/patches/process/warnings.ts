import { replace, type Undo } from '../replace';

/** Parts of warnings about what the kernel does itself: see modules/imports.ts. */
const OWN = ['USE_MAIN_CONTEXT_DEFAULT_LOADER', 'is loading ES Module'];

/** Keeps Node.js from warning in a cell about what the kernel does. */
export function omitWarnings(): Undo {
  const emit = process.emitWarning as (warning: string | Error, ...rest: unknown[]) => void;
  return replace(process, {
    emitWarning(warning: string | Error, ...rest: unknown[]) {
      const text = String(warning instanceof Error ? warning.message : warning);
      if (!OWN.some((it) => text.includes(it))) emit.call(process, warning, ...rest);
    },
  });
}
