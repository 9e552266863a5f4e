import type { EnvironmentSchema } from '../openenv/protocol';
import { environmentTypes } from '../openenv/environmentTypes';

/**
 * The TypeScript type of an environment that is open, beyond
 * what its class says. The kernel declares it for the cells of a notebook.
 */
export interface EnvironmentTyping {
  /** The key of what was opened: the first argument of `openenv`, or another text that stands for the same types only. */
  key: string;
  /** Types that `type` refers to, as the text of a namespace. */
  declarations: string;
  /** The type: a class of joylab, with names of `declarations`. */
  type: string;
  /** The type that the class alone gives: a variable of another type keeps that. */
  general: string;
  /** The environment in a sentence: documentation of the variable. */
  description?: string;
  /** Reads the schemas again: a server may have been replaced. */
  refresh?(): Promise<EnvironmentTyping>;
}

/** The method of an environment that tells its {@link EnvironmentTyping}. */
export const TYPING = Symbol.for('joylab.typing');

/** Types of an environment from its JSON Schemas. `className`: a class of joylab with type parameters for action, observation and state. */
export function schemaTyping(
  className: string,
  key: string,
  schema: EnvironmentSchema,
  description?: string,
): EnvironmentTyping {
  const { declarations, action, observation, state } = environmentTypes(schema);
  return {
    key,
    declarations,
    type: `${className}<${action}, ${observation}, ${state}>`,
    general: `${className}<any, any, any>`,
    ...(description ? { description } : {}),
  };
}
