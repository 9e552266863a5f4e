import { stringifyExact } from '../common/exactJson';
import { actionField, actionText, type ActionField } from '../schema/actionField';
import type { EpisodeSpec } from '../environments/vectorEnv';
import type { EpisodeEnd } from '../episodes/episode';
import { serverValidator, type Validate } from '../schema/validate';
import { ValidationFailure } from '../schema/problems';
import type { JsonSchema } from '../schema/jsonSchema';
import type { Outcome } from '../strategy/outcome';

/** The action space of an environment: how answers of policies are read and recorded. */
export interface ActionSpace {
  /** Returns the action that an answer means, or how the episode ends because it means none. */
  read(outcome: Outcome): { action: unknown } | EpisodeEnd;
  /** Returns a table for the actions of one episode. */
  table(): ActionTable;
}

/** The distinct actions of an episode: each has an index, a name, and a value where it is more than its name. */
export interface ActionTable {
  readonly names: string[];
  readonly values?: Record<string, unknown>[];
  /** Characters of JSON that the distinct actions take, without those that the environment names. */
  readonly size: number;
  indexOf(action: unknown): number;
}

/** Returns the action space of a spec. */
export function actionSpace({ actions, actionSchema }: EpisodeSpec): ActionSpace {
  return actionSchema ? new SchemaActions(actionSchema, actions) : new Discrete(actions);
}

/** Actions that are indices into names, as in Gymnasium's `Discrete`. */
class Discrete implements ActionSpace {
  constructor(private readonly names: readonly string[]) {}

  read(outcome: Outcome): { action: number } | EpisodeEnd {
    if (outcome.kind === 'failure') return outcome.failure;
    const value = outcome.kind === 'json' || outcome.kind === 'number' ? outcome.value : undefined;
    const action = typeof value === 'string' ? this.names.indexOf(value) : (value as number);
    if (Number.isInteger(action) && action >= 0 && action < this.names.length) return { action };
    const valid = `${this.names.map((name) => `"${name}"`).join(', ')}, or an index from 0 to ${this.names.length - 1}`;
    return { reason: 'invalid_action', message: `the strategy returned ${describe(outcome)}. Valid: ${valid}.` };
  }

  table(): ActionTable {
    return { names: [...this.names], size: 0, indexOf: (action) => action as number };
  }
}

/** Actions that are objects of a JSON Schema. */
export class SchemaActions implements ActionSpace {
  private readonly field: ActionField | undefined;
  private readonly check: Validate | null;

  /** @param names names of the values of an action's one field, by index, where the environment gives some */
  constructor(
    private readonly schema: JsonSchema,
    names: readonly string[] = [],
  ) {
    this.field = actionField(schema, names);
    this.check = serverValidator(schema);
  }

  /**
   * Accepts an object of the schema; where an action has only one field, also its value,
   * or its name or index in an enumeration.
   */
  read(outcome: Outcome): { action: Record<string, unknown> } | EpisodeEnd {
    if (outcome.kind === 'failure') return outcome.failure;
    const value = outcome.kind === 'json' || outcome.kind === 'number' ? outcome.value : undefined;
    const action =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : this.ofValue(value);
    const problem = action ? this.problemOf(action) : '';
    if (action && problem === undefined) return { action };
    const reason = problem ? ` (${problem})` : '';
    return {
      reason: 'invalid_action',
      message: `the strategy returned ${describe(outcome)}${reason}. Valid: ${actionText(this.schema, this.field)}.`,
    };
  }

  table(): ActionTable {
    return new SchemaActionTable(this.field);
  }

  private ofValue(value: unknown): Record<string, unknown> | undefined {
    if (!this.field || value === undefined) return undefined;
    const { name, values, names, nullable } = this.field;
    if (value === null) return nullable ? { [name]: null } : undefined;
    if (!values) return { [name]: value };
    const index = values.includes(value as never)
      ? values.indexOf(value as never)
      : typeof value === 'number'
        ? value
        : names!.indexOf(value as string);
    return index in values ? { [name]: values[index] } : undefined;
  }

  private problemOf(action: object): string | undefined {
    try {
      this.check?.(action);
      return undefined;
    } catch (error) {
      if (!(error instanceof ValidationFailure)) throw error;
      return error.problems
        .map(({ loc, msg }) => `${loc.join('.') || 'action'}: ${msg}`)
        .join('; ')
        .slice(0, 200);
    }
  }
}

/** Holds each distinct action once, so that steps hold indices. Those of an enumeration keep its order. */
class SchemaActionTable implements ActionTable {
  readonly names: string[];
  readonly values: Record<string, unknown>[];
  size = 0;
  private readonly positions = new Map<string, number>();

  constructor(private readonly field: ActionField | undefined) {
    this.names = [...(field?.names ?? [])];
    this.values = (field?.values ?? []).map((value) => ({ [field!.name]: value }));
    this.values.forEach((action, i) => this.positions.set(stringifyExact(action), i));
  }

  indexOf(action: Record<string, unknown>): number {
    const key = stringifyExact(action);
    let index = this.positions.get(key);
    if (index === undefined) {
      this.positions.set(key, (index = this.values.push(action) - 1));
      this.names.push(this.nameOf(action, key));
      this.size += key.length;
    }
    return index;
  }

  private nameOf(action: Record<string, unknown>, json: string): string {
    const keys = Object.keys(action);
    const only = keys.length === 1 && keys[0] === this.field?.name ? action[keys[0]] : undefined;
    const text = ['string', 'number', 'bigint'].includes(typeof only) ? String(only) : json;
    return text.length > 60 ? `${text.slice(0, 59)}…` : text;
  }
}

/** Returns what a strategy returned, in words. */
function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'number':
      return String(outcome.value);
    case 'json':
      return outcome.description ?? short(stringifyExact(outcome.value));
    case 'other':
      return outcome.description;
    default:
      return 'nothing (undefined)';
  }
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
