import { actionField } from './actionField';
import { fieldsOf, nameText, type JsonSchema } from './jsonSchema';
import { cut } from './read';
import { rangeWords, typeWords } from './words';

/** Fields, and values of an action, that a prompt names. */
const MAXIMUM_FIELDS = 200;
const MAXIMUM_VALUES = 1000;
/** Characters of a description. */
const MAXIMUM_TEXT = 1000;

/** What a prompt says of an environment that describes itself by schemas. */
export interface SchemaSubject {
  name: string;
  description?: string;
  schemas: { action: JsonSchema; observation: JsonSchema };
  /** Names of the actions, where the one field of an action is an index into them. */
  actions: readonly string[];
}

/** Returns the lines of a prompt after its first: what the environment is, what a strategy sees, what it returns. */
export function schemaPrompt({
  name,
  description = '',
  schemas: { action, observation },
  actions,
}: SchemaSubject): string[] {
  const fields = fieldLines(observation, fieldsOf(observation), (field) =>
    nameText(field) === field ? `state.${field}` : `state[${nameText(field)}]`,
  );
  const about = description.trim();
  return [
    ...(about && about !== name ? [sentence(about)] : []),
    ...(fields.length > 0 ? ['The state:', ...fields] : []),
    ...actionLines(action, actions),
  ];
}

function actionLines(action: JsonSchema, names: readonly string[]): string[] {
  const field = actionField(action, names);
  if (!field) {
    const fields = fieldLines(action, fieldsOf(action, ['metadata']), nameText);
    if (fields.length === 0) return ['It returns an action, an object.'];
    return [`It returns an action, an object ${typeWords(action, action)}:`, ...fields];
  }
  const { values, names: named, schema, nullable } = field;
  const plain = values?.every((value, i) => String(value) === named![i]);
  if (values && !(plain && schema.type === 'integer')) {
    const words = values.slice(0, MAXIMUM_VALUES).map((value, i) => JSON.stringify(plain ? value : named![i]));
    const more = values.length > words.length ? [`or one of ${values.length - words.length} more`] : [];
    return [`It returns one action: ${[...words, ...more, ...(nullable ? ['null'] : [])].join(', ')}.`];
  }
  return [fieldLine(`It returns one action (${nameText(field.name)})`, schema, action, nullable)];
}

function fieldLines(root: JsonSchema, fields: ReturnType<typeof fieldsOf>, nameOf: (name: string) => string): string[] {
  const lines = fields
    .slice(0, MAXIMUM_FIELDS)
    .map(([name, schema, nullable]) => fieldLine(nameOf(name), schema, root, nullable));
  return fields.length > lines.length ? [...lines, `… and ${fields.length - lines.length} more fields.`] : lines;
}

function fieldLine(name: string, schema: JsonSchema, root: JsonSchema, nullable: boolean): string {
  const text =
    typeof schema.description === 'string' ? cut(schema.description.replace(/\s+/g, ' ').trim(), MAXIMUM_TEXT) : '';
  const range = rangeWords(schema);
  // Plain numbers read as those of Atari, which is the form that small models know.
  if (!text && !nullable && range.startsWith(' from') && /^state\./.test(name)) return name + range;
  const type = typeWords(schema, root);
  return `${name}, ${type}${nullable && !/\bnull$/.test(type) ? ' or null' : ''}${text ? `: ${text}` : ''}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
