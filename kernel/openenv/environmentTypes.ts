import type { JsonSchema } from '../schema/jsonSchema';
import { declareTypes } from '../schema/types';
import type { EnvironmentSchema } from './protocol';
import { otherToolActions } from './toolActions';

/** TypeScript types of an environment, from its schemas. */
export interface EnvironmentTypes {
  /** Exported interfaces and types, which may stand in a namespace. */
  declarations: string;
  /** The three types: names among the declarations or expressions of them; `any` where a schema says nothing. */
  action: string;
  observation: string;
  state: string;
}

/**
 * Returns the TypeScript types of an environment.
 *
 * #### Notes
 * Fields that have a default may be left out of an action; in an observation and a
 * state they are always present. `reward` and `done` travel beside the observation, so
 * its type lacks them.
 */
export function environmentTypes({ action, observation, state }: EnvironmentSchema): EnvironmentTypes {
  const { declarations, types } = declareTypes([
    { schema: withLast(action, 'metadata'), name: 'Action', use: 'input' },
    { schema: withoutFields(observation, ['done', 'reward']), name: 'Observation', use: 'output' },
    { schema: state, name: 'State', use: 'output' },
  ]);
  const actions = types[0] === 'any' ? [] : otherToolActions(action).map(({ text }) => text);
  return { declarations, action: [types[0], ...actions].join(' | '), observation: types[1], state: types[2] };
}

function withoutFields(schema: JsonSchema, names: string[]): JsonSchema {
  if (!schema?.properties) return schema;
  const properties = Object.fromEntries(Object.entries(schema.properties).filter(([name]) => !names.includes(name)));
  return {
    ...schema,
    properties,
    ...(schema.required ? { required: schema.required.filter((name: string) => !names.includes(name)) } : {}),
  };
}

/** Returns a schema with the field `name` moved to the end: OpenEnv's base models put theirs first. */
function withLast(schema: JsonSchema, name: string): JsonSchema {
  if (!schema?.properties || !Object.hasOwn(schema.properties, name)) return schema;
  const { [name]: last, ...properties } = schema.properties;
  return { ...schema, properties: { ...properties, [name]: last } };
}
