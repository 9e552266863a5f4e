import { stringifyExact } from '../common/exactJson';
import { actionField, actionText, type ActionField } from '../environments/actionSpace';
import type { JsonSchema } from '../schema/jsonSchema';
import { serverValidator, ValidationFailure, type Validate } from '../openenv/serving/validate';
import type { Outcome } from '../strategy/outcome';
import { describe } from './action';
import type { EpisodeEnd } from './episode';

/** How what strategies return is read as actions of a JSON Schema. */
export class SchemaActions {
  readonly field: ActionField | undefined;
  private readonly check: Validate | null;

  /** `names`: of the values of an action's one field, by index, where the environment gives some. */
  constructor(private readonly schema: JsonSchema, names: readonly string[] = []) {
    this.field = actionField(schema, names);
    this.check = serverValidator(schema);
  }

  /**
   * The action that an answer means: an object of the schema; where one field
   * tells the action, its value alone, or its name or index in an enumeration.
   */
  read(outcome: Outcome): { action: Record<string, unknown> } | EpisodeEnd {
    if (outcome.kind === 'failure') return outcome.failure;
    const value = outcome.kind === 'json' || outcome.kind === 'number' ? outcome.value : undefined;
    const action = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : this.ofValue(value);
    const problem = action ? this.problemOf(action) : '';
    if (action && problem === undefined) return { action };
    const reason = problem ? ` (${problem})` : '';
    return { reason: 'invalid_action', message: `the strategy returned ${describe(outcome)}${reason}. Valid: ${actionText(this.schema, this.field)}.` };
  }

  private ofValue(value: unknown): Record<string, unknown> | undefined {
    if (!this.field || value === undefined) return undefined;
    const { name, values, names, nullable } = this.field;
    if (value === null) return nullable ? { [name]: null } : undefined;
    if (!values) return { [name]: value };
    const index = values.includes(value as never) ? values.indexOf(value as never) : typeof value === 'number' ? value : names!.indexOf(value as string);
    return index in values ? { [name]: values[index] } : undefined;
  }

  private problemOf(action: object): string | undefined {
    try {
      this.check?.(action);
      return undefined;
    } catch (error) {
      if (!(error instanceof ValidationFailure)) throw error;
      return error.problems.map(({ loc, msg }) => `${loc.join('.') || 'action'}: ${msg}`).join('; ').slice(0, 200);
    }
  }
}

/** The actions of an episode: each different one once, so that steps hold indices. Those of an enumeration keep its order. */
export class ActionTable {
  readonly names: string[];
  readonly values: Record<string, unknown>[];
  /** Characters of JSON that the different actions take. */
  size = 0;
  private readonly positions = new Map<string, number>();

  constructor(private readonly field: ActionField | undefined) {
    this.names = [...(field?.names ?? [])];
    this.values = (field?.values ?? []).map((value) => ({ [field!.name]: value }));
    this.values.forEach((action, i) => this.positions.set(stringifyExact(action), i));
  }

  /** The index of an action. */
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
