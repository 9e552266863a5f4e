import { actionField } from '../../../kernel/schema/actionField';
import { fieldsOf, finiteValues, resolved, type JsonSchema } from '../../../kernel/schema/jsonSchema';
import type { OpenedEnvironment } from './playing';
import type { EditorTask } from './decisionList';

/** Elements of an array that become variables, at most. */
const MAXIMUM_ELEMENTS = 25;
/** Combinations of fields' values that become actions, at most. */
const MAXIMUM_ACTIONS = 64;

/** Returns the variables and actions of an environment's programs: from its state variables, else from its schemas. */
export function editorTask(env: OpenedEnvironment): EditorTask {
  const { schemas } = env;
  if (!schemas)
    return {
      variables: env.stateVariables!.map(({ name, minimum, maximum }) => ({ name, minimum, maximum, whole: true })),
      actions: env.actions.map((name) => JSON.stringify(name)),
    };
  return {
    variables: variablesOf(schemas.observation, schemas.observation, ''),
    actions: actionSources(schemas.action, env.actions),
  };
}

/** Returns every action of an environment's programs as source, and its name in tables. */
export function constantActions(env: OpenedEnvironment): Array<{ name: string; source: string }> {
  return editorTask(env).actions.map((source) => ({ name: source.replace(/["{} ]/g, ''), source }));
}

/**
 * Returns the variables of a schema: numbers with a range, booleans and enumerations,
 * also inside objects and arrays of fixed length.
 */
function variablesOf(given: JsonSchema, root: JsonSchema, path: string): EditorTask['variables'] {
  const schema = resolved(given, root);
  const { type, minimum, maximum, items, minItems, maxItems } = schema;
  if (schema.properties)
    return fieldsOf(path ? { ...schema, $defs: root.$defs } : schema).flatMap(([name, field]) =>
      variablesOf(field, root, path ? `${path}.${name}` : name),
    );
  if (type === 'array')
    return minItems === maxItems && minItems <= MAXIMUM_ELEMENTS
      ? Array.from({ length: minItems }, (_, i) => variablesOf(items, root, `${path}[${i}]`)).flat()
      : [];
  if ((type === 'integer' || type === 'number') && Number.isFinite(minimum) && Number.isFinite(maximum))
    return [{ name: path, minimum, maximum, whole: type === 'integer' }];
  const values = type === 'boolean' ? [false, true] : schema.enum;
  return Array.isArray(values) && values.every((value) => ['string', 'boolean'].includes(typeof value))
    ? [{ name: path, values }]
    : [];
}

function actionSources(schema: JsonSchema, names: readonly string[]): string[] {
  const field = actionField(schema, names);
  if (field?.names) return field.names.map((name) => JSON.stringify(name));
  let objects: string[][] = [[]];
  for (const [name, inner] of fieldsOf(schema, ['metadata'])) {
    const values = finiteValues(inner);
    if (!values) throw new RangeError(`The action's field ${name} has more values than can be listed.`);
    objects = objects.flatMap((fields) => values.map((value) => [...fields, `${name}: ${JSON.stringify(value)}`]));
  }
  if (objects.length > MAXIMUM_ACTIONS)
    throw new RangeError(`There are ${objects.length} actions; at most ${MAXIMUM_ACTIONS} can be listed.`);
  return objects.map((fields) => `{ ${fields.join(', ')} }`);
}
