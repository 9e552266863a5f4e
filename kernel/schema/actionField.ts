import { fieldsOf, finiteValues, type JsonSchema } from './jsonSchema';
import { typeWords } from './words';

type Value = string | number | boolean;

/** The one field that makes up an action, where it has only one (required) field: a strategy may then return its value alone. */
export interface ActionField {
  name: string;
  schema: JsonSchema;
  /** All its values, where they can be listed one by one (see {@link finiteValues}). */
  values?: Value[];
  /** Whether it may also be `null`. */
  nullable: boolean;
  /** A name for each of the values: "LEFT". */
  names?: string[];
}

/**
 * Returns the field of an action that has only one, or only one that is required;
 * otherwise `undefined`.
 *
 * @param names names of its values by index, where the environment gives some
 */
export function actionField(action: JsonSchema, names: readonly string[] = []): ActionField | undefined {
  const fields = fieldsOf(action, ['metadata']);
  const needed = fields.filter(([, , , , optional]) => !optional);
  const [found] = fields.length === 1 ? fields : needed.length === 1 ? needed : [];
  if (!found) return undefined;
  const [name, schema, nullable] = found;
  const values = finiteValues(schema);
  if (!values) return { name, schema, nullable };
  const given = [names, schema.action_meanings].find((list) => Array.isArray(list) && list.length === values.length);
  return { name, schema, values, nullable, names: given ? [...given] : values.map(String) };
}

/** Returns the valid actions in words: `"UP", "DOWN", or { move: … }`. */
export function actionText(action: JsonSchema, field: ActionField | undefined): string {
  const object = typeWords(action, action);
  if (!field) return `an object ${object}`;
  const { values, names, schema, nullable } = field;
  if (!values || !names) return `${typeWords(schema, action)}${nullable ? ', null' : ''}, or an object ${object}`;
  const words = names.map((name) => JSON.stringify(name)).join(', ');
  const numbers =
    typeof values[0] === 'number' ? typeWords({ enum: values }, action) : `an index from 0 to ${values.length - 1}`;
  return `${words}, ${numbers}${nullable ? ', null' : ''}, or an object ${object}`;
}
