import type { EnvironmentSchema } from '../openenv/protocol';
import { environmentTypes } from '../openenv/environmentTypes';

/**
 * The TypeScript type of an open environment, more exact than its class. The
 * kernel declares it for the cells of a notebook.
 */
export interface EnvironmentTyping {
  /** The first argument of `openenv`, or another text that identifies the types. */
  key: string;
  /** Types that `type` refers to, as the text of a namespace. */
  declarations: string;
  /** The type: a class of joylab, with names of `declarations`. */
  type: string;
  /** The type of the class alone. Only a variable of this type gets the more exact one. */
  general: string;
  /** The environment in a sentence, for the documentation of the variable. */
  description?: string;
  /** Reads the schemas again: a server may have been replaced. */
  refresh?(): Promise<EnvironmentTyping>;
}

/** The name of the method of an environment that returns its {@link EnvironmentTyping}. */
export const TYPING = Symbol.for('joylab.typing');

/**
 * Returns the type of an environment from its JSON Schemas.
 *
 * @param className a class of joylab with type parameters for action, observation and state
 */
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
