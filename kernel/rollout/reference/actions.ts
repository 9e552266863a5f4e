import { actionField } from '../../schema/actionField';
import { seededRandom, type Random } from '../../common/random';
import { fieldsOf, finiteValues, isNullable, resolved, type Field, type JsonSchema } from '../../schema/jsonSchema';
import type { RolloutEnvironment } from '../../environments/environment';
import { SchemaActions } from '../actions';

/** An action as a strategy returns it, and its name. */
export interface NamedAction {
  name: string;
  value: unknown;
}

/** Largest number of actions that are each played as a constant. */
const MOST_CONSTANTS = 32;
/** Actions that are drawn where there are more, at most, and the tries for that. */
const DRAWN = 256;
const TRIES = 4 * DRAWN;

/** Actions to play at random. `all`: whether each is to be played as a constant, too. Empty where the schema gives none. */
export interface ActionChoice {
  actions: NamedAction[];
  all: boolean;
}

/**
 * Returns the actions of an environment: all where they can be listed, else some that
 * its schema allows, the same at each call.
 *
 * @param texts what to write where free text is wanted; none: such fields give no actions
 */
export function actionChoice(env: Pick<RolloutEnvironment, 'spec'>, texts: readonly string[] = []): ActionChoice {
  const { actions: names, actionSchema: schema } = env.spec;
  if (!schema) return { actions: names.map((name) => ({ name, value: name })), all: true };
  const field = actionField(schema, names);
  const values =
    field?.values?.map((value, i) => ({ name: field.names![i], value: value as unknown })) ?? objects(schema);
  if (values && values.length > 0) return { actions: values, all: values.length <= MOST_CONSTANTS };
  const random = seededRandom(1);
  const reader = new SchemaActions(schema, names);
  const drawn = Array.from({ length: TRIES }, () => draw(schema, schema, { random, texts })).filter(
    (value) => isObject(value) && 'action' in reader.read({ kind: 'json', value: value as never }),
  );
  return { actions: drawn.slice(0, DRAWN).map(named), all: false };
}

function named(value: unknown): NamedAction {
  return { name: JSON.stringify(value), value };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Returns the required fields of an action; all fields where none is required. */
function neededFields(schema: JsonSchema, root = schema): Field[] {
  const fields = fieldsOf(schema, ['metadata'], root);
  const needed = fields.filter(([, , , , optional]) => !optional);
  return needed.length > 0 ? needed : fields;
}

/**
 * Returns every action, the product of its fields' values; `undefined` where there are
 * more than {@link MOST_CONSTANTS}, or they cannot be listed.
 */
function objects(schema: JsonSchema): NamedAction[] | undefined {
  let all: Record<string, unknown>[] = [{}];
  for (const [name, field] of neededFields(schema)) {
    const values = finiteValues(field);
    if (!values || all.length * values.length > MOST_CONSTANTS) return undefined;
    all = all.flatMap((action) => values.map((value) => ({ ...action, [name]: value })));
  }
  return all.length > 1 ? all.map(named) : undefined;
}

/** What values are drawn from. */
interface Source {
  random: Random;
  texts: readonly string[];
}

/** Returns a random value that a schema allows; `undefined` where none can be drawn, such as free text. */
function draw(schema: JsonSchema | undefined, root: JsonSchema, source: Source): unknown {
  const { random, texts } = source;
  const part = resolved(schema, root);
  const below = (count: number): number => Math.floor(random.next() * count);
  const values = finiteValues(part);
  if (values) return values[below(values.length)];
  const members: JsonSchema[] = part.anyOf ?? part.oneOf ?? [];
  if (members.length > 0) return draw(members[below(members.length)], root, source);
  const { type, minimum, maximum, minItems = 0, maxItems = minItems } = part;
  if (type === 'integer' && Number.isFinite(maximum - minimum)) return minimum + below(maximum - minimum + 1);
  if (type === 'number' && Number.isFinite(maximum - minimum)) return minimum + random.next() * (maximum - minimum);
  if (type === 'array')
    return all(Array.from({ length: minItems + below(maxItems - minItems + 1) }, () => draw(part.items, root, source)));
  if (part.properties) return object(part, root, source);
  if (type === 'string' && texts.length > 0) return part.examples?.[0] ?? texts[below(texts.length)];
  return part.default ?? (isNullable(part, root) ? null : undefined);
}

function object(part: JsonSchema, root: JsonSchema, source: Source): object | undefined {
  const fields = neededFields(part, root);
  const values = all(fields.map(([, field]) => draw(field, root, source)));
  return values && Object.fromEntries(fields.map(([name], i) => [name, values[i]]));
}

function all(values: unknown[]): unknown[] | undefined {
  return values.includes(undefined) ? undefined : values;
}
