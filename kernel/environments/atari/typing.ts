import { declareTypes } from '../../schema/types';
import type { EnvironmentTyping } from '../typing';
import type { AtariReader } from './reader';

/**
 * Returns the type of a game: the names of its actions, and its state variables
 * with their descriptions.
 *
 * @param className a class of joylab with type parameters for both
 */
export function atariTyping(
  className: string,
  key: string,
  game: string,
  { actions, stateVariables }: Pick<AtariReader, 'actions' | 'stateVariables'>,
): EnvironmentTyping {
  const title = game.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
  const variables = stateVariables.map(({ name, description, minimum, maximum }) => [
    name,
    { type: 'integer', description, minimum, maximum },
  ]);
  const state = {
    title: `${title}State`,
    type: 'object',
    properties: Object.fromEntries(variables),
    required: stateVariables.map(({ name }) => name),
  };
  const { declarations, types } = declareTypes([
    { schema: { enum: actions }, name: `${title}Action`, use: 'input' },
    {
      schema: variables.length > 0 ? state : { ...state, additionalProperties: { type: 'number' } },
      name: 'State',
      use: 'output',
    },
  ]);
  return {
    key,
    declarations,
    type: `${className}<${types.join(', ')}>`,
    general: `${className}<string, Record<string, number>>`,
  };
}
