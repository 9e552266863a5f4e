import type { EnvironmentSchema } from '../openenv/protocol';
import { actionField } from './actionSpace';
import { fieldsOf, type JsonSchema } from './jsonSchema';
import { rangeText, typeText } from './schemaText';

/** What a prompt tells of an environment that describes itself by schemas. */
export interface SchemaSubject {
  name: string;
  description?: string;
  schemas: EnvironmentSchema;
  /** Names of the actions, where the one field of an action is an index into them. */
  actions: readonly string[];
}

/** The lines of a prompt after its first: what it is, what a strategy sees, what it returns. */
export function schemaPrompt({ name, description = '', schemas: { action, observation }, actions }: SchemaSubject): string[] {
  const fields = fieldsOf(observation);
  const about = description.trim();
  return [
    ...(about && about !== name ? [sentence(about)] : []),
    ...(fields.length > 0 ? ['The state:', ...fields.map(([field, schema]) => fieldLine(`state.${field}`, schema, observation))] : []),
    ...actionLines(action, actions),
  ];
}

function actionLines(action: JsonSchema, names: readonly string[]): string[] {
  const field = actionField(action, names);
  if (!field) {
    const fields = fieldsOf(action, ['metadata']);
    if (fields.length === 0) return ['It returns an action, an object.'];
    return [`It returns an action, an object ${typeText(action, action)}:`, ...fields.map(([name, schema]) => fieldLine(name, schema, action))];
  }
  const { values, names: named, schema } = field;
  const plain = values?.every((value, i) => String(value) === named![i]);
  if (values && !(plain && schema.type === 'integer')) {
    const words = values.map((value, i) => JSON.stringify(plain ? value : named![i]));
    return [`It returns one action: ${words.join(', ')}.`];
  }
  return [fieldLine(`It returns one action (${field.name})`, schema, action)];
}

function fieldLine(name: string, schema: JsonSchema, root: JsonSchema): string {
  const text = typeof schema.description === 'string' ? schema.description.replace(/\s+/g, ' ').trim() : '';
  const range = rangeText(schema);
  // Plain numbers read as those of Atari, which is the form that small models know.
  if (!text && range.startsWith(' from') && /^state\./.test(name)) return name + range;
  return `${name}, ${typeText(schema, root)}${text ? `: ${text}` : ''}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
