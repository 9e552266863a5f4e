import type { RolloutEnvironment } from '../environments/environment';
import type { Tool } from '../openenv/mcp';
import { SchemaActions } from '../rollout/actions';
import { actionChoice, type NamedAction } from '../rollout/reference/actions';
import { chanceCode, constantCode, literal } from '../rollout/reference/codes';
import { actionField } from '../schema/actionField';
import { isObject } from '../schema/jsonSchema';

/** Texts that know nothing of a task. */
export const TEXTS: readonly string[] = ['hello', 'yes', '0', '1', 'help', 'I do not know.'];

/** Episodes of chance from one start. */
const REPEATS = 4;
/** Constant policies, and those that copy a field of the observation, at most. */
const MOST_TEXTS = 12;
const MOST_COPIES = 4;
/** Actions that are constants where there are too many to try each. */
const SOME = 6;

/** A policy that is tried. */
export interface TriedPolicy {
  name: string;
  /** `canary`: always a text that knows nothing; `copy`: a field of the observation as action; `given`: by the user. */
  kind: 'chance' | 'constant' | 'canary' | 'copy' | 'given';
  /** Its code for each of its episodes from one start. */
  codes: string[];
}

/** The actions that are tried. */
export interface TriedActions {
  actions: readonly NamedAction[];
  /** Whether each can be a policy of its own. */
  all: boolean;
  /** Whether they hold free text, which only a policy that reads can choose well. */
  text: boolean;
}

/** Returns the actions of an environment: by its schema, by its tools, or texts that know nothing. */
export function triedActions(env: RolloutEnvironment, tools: readonly Tool[] | null): TriedActions {
  const byTools = tools && takesTools(env) ? toolActions(env, tools) : [];
  if (byTools.length > 0) return { actions: byTools, all: byTools.length <= MOST_TEXTS, text: true };
  const choice = actionChoice(env);
  if (choice.actions.length > 0) return { ...choice, text: false };
  const { actions } = actionChoice(env, TEXTS);
  const distinct = [...new Map(actions.map((action) => [action.name, action])).values()].slice(0, MOST_TEXTS);
  return { actions: distinct, all: true, text: true };
}

function takesTools({ spec }: RolloutEnvironment): boolean {
  return ['Action', 'CallToolAction', 'ListToolsAction'].includes(spec.actionSchema?.title);
}

/** Returns calls of tools as actions, their texts from {@link TEXTS}. */
function toolActions(env: RolloutEnvironment, tools: readonly Tool[]): NamedAction[] {
  const space = new SchemaActions(env.spec.actionSchema!);
  return tools.flatMap(({ name, inputSchema }) => {
    const { actions } = actionChoice({ spec: { ...env.spec, actions: [], actionSchema: inputSchema } }, TEXTS);
    const calls = [...new Map(actions.map((it) => [it.name, it.value])).values()].slice(0, TEXTS.length);
    return (calls.length > 0 ? calls : [{}]).flatMap((args) => {
      const value = { type: 'call_tool', tool_name: name, arguments: args };
      const read = space.read({ kind: 'json', value: value as never });
      return 'action' in read ? [{ name: `${name}(${JSON.stringify(args)})`, value }] : [];
    });
  });
}

/** Returns the policies to try: chance, each action always, each field of the observation as action, and the user's. */
export function triedPolicies(
  env: RolloutEnvironment,
  { actions, all, text }: TriedActions,
  first: Record<string, unknown>,
  given: Readonly<Record<string, string>>,
): TriedPolicy[] {
  const always = all ? actions : actions.slice(0, SOME);
  return [
    ...(text || actions.length === 0
      ? []
      : [
          {
            name: 'chance',
            kind: 'chance' as const,
            codes: Array.from({ length: REPEATS }, (_, repeat) => chanceCode(actions, repeat)),
          },
        ]),
    ...always.map(({ name, value }) => ({
      name: `always ${name}`,
      kind: text ? ('canary' as const) : ('constant' as const),
      codes: [constantCode(value)],
    })),
    ...copies(env, first),
    ...Object.entries(given).map(([name, code]) => ({ name, kind: 'given' as const, codes: [code] })),
  ];
}

/** Returns policies that return what a field of the observation says, for those fields whose value is an action. */
function copies(
  { spec: { actionSchema, actions } }: RolloutEnvironment,
  first: Record<string, unknown>,
): TriedPolicy[] {
  const field = actionSchema && actionField(actionSchema, actions);
  if (!field) return [];
  const space = new SchemaActions(actionSchema);
  return Object.entries(first)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .filter(([, value]) => 'action' in space.read({ kind: 'json', value: { [field.name]: value } as never }))
    .slice(0, MOST_COPIES)
    .map(([name]) => ({
      name: `copies observation.${name}`,
      kind: 'copy',
      // Where a later observation has none, the last one.
      codes: [
        `let last;
function strategy(state) {
  const seen = state[${literal(name)}];
  if (seen !== undefined && seen !== null && seen !== '') last = seen;
  return { [${literal(field.name)}]: last };
}`,
      ],
    }));
}

/** Names of fields that give an answer away. */
const ANSWER =
  /^(answer|solution|ground_?truth|oracle|secret|gold(en)?_?(answer|solution)?|(correct|expected|target|reference)_?(answer|solution|output|action))$/i;

/** Returns the fields of an observation, at any depth, that are named like an answer and have a value. */
export function answerFields(observation: unknown, path = 'observation', depth = 0): string[] {
  if (!isObject(observation) || depth > 4) return [];
  return Object.entries(observation).flatMap(([name, value]) => [
    ...(ANSWER.test(name) && value !== null && value !== '' ? [`${path}.${name}`] : []),
    ...answerFields(value, `${path}.${name}`, depth + 1),
  ]);
}
