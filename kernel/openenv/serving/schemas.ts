import { invalidArgument } from '../errors';
import type { EnvironmentMetadata, EnvironmentSchema } from '../protocol';
import type { EnvironmentClass } from './environment';
import type { JsonSchema } from '../../schema/jsonSchema';
import { jsonValue, JsonValueError } from '../../schema/jsonValue';
import { SchemaError, validator, type Validate } from '../../schema/validate';
import { ValidationFailure } from '../../schema/problems';

/** The schemas and metadata of a server's environment, and its checks. */
export interface Contract {
  schema: EnvironmentSchema;
  metadata: EnvironmentMetadata;
  /**
   * Returns a copy of an action without OpenEnv's `metadata`, and with the schema's
   * defaults. Throws {@link ValidationFailure} when it does not fit.
   */
  checkAction(action: object): object;
  checkReset: Validate;
  /** Checks of what the environment returns, see {@link EpisodeRunner}. */
  outputs: OutputChecks;
}

/** Checks of what an environment returns. */
export interface OutputChecks {
  reset: Validate;
  step: Validate;
  state: Validate;
}

/** Returns a class's schemas, metadata and checks. The class's own schemas and metadata override those of `given`. */
export function contract(
  type: EnvironmentClass,
  given: { schema?: Partial<EnvironmentSchema>; metadata?: Partial<EnvironmentMetadata> },
): Contract {
  const schema = wireSchema({ ...given.schema, ...type.schema });
  const checkAction = actionValidator(schema.action);
  const keepsMetadata = 'metadata' in (schema.action.properties ?? {});
  return {
    schema,
    metadata: { name: type.name, description: '', ...given.metadata, ...type.metadata },
    checkReset: validator(RESET, 'reset'),
    outputs: outputChecks(schema),
    checkAction(action) {
      const { metadata, ...rest } = action as { metadata?: unknown };
      // OpenEnv's typed clients send it with every action.
      const stripped = !keepsMetadata && typeof metadata === 'object' ? rest : action;
      // The sender's own object stays as it is.
      const own = actionValue(stripped);
      checkAction(own);
      return own;
    },
  };
}

/** Returns a check of actions. Throws `INVALID_ARGUMENT` when the schema is not a valid JSON Schema. */
function actionValidator(schema: JsonSchema): Validate {
  try {
    return validator(schema, 'action', { useDefaults: true });
  } catch (error) {
    throw error instanceof SchemaError ? invalidArgument(error.message) : error;
  }
}

/** Returns a copy of an action. Throws {@link ValidationFailure} when it has a value that JSON does not have. */
function actionValue(action: object): object {
  try {
    return jsonValue(action, 'The action');
  } catch (error) {
    if (error instanceof JsonValueError)
      throw new ValidationFailure([
        {
          type: 'finite_number',
          loc: error.path,
          msg: `Input should be what JSON has, not ${error.reason}`,
          input: undefined,
        },
      ]);
    throw error;
  }
}

/** Returns checks that are compiled at their first use. */
function outputChecks({ observation, reset_observation = observation, state }: EnvironmentSchema): OutputChecks {
  const made = new Map<JsonSchema, Validate>();
  const check =
    (schema: JsonSchema, what: string): Validate =>
    (value) => {
      if (!made.has(schema)) made.set(schema, validator(schema, what));
      made.get(schema)!(value);
    };
  return {
    reset: check(reset_observation, 'observation after a reset'),
    step: check(observation, 'observation'),
    state: check(state, 'state'),
  };
}

/** The arguments of a reset. An environment may take others. */
const RESET: JsonSchema = {
  type: 'object',
  properties: {
    seed: { type: ['integer', 'null'], minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    episode_id: { type: ['string', 'null'], maxLength: 255 },
  },
};

const ANY_OBJECT: JsonSchema = { type: 'object', additionalProperties: true };

function wireSchema({ action, observation, state, reset_observation }: Partial<EnvironmentSchema>): EnvironmentSchema {
  return {
    action: closed(action ?? { title: 'Action', ...ANY_OBJECT }),
    observation: withProperties(observation ?? { title: 'Observation', ...ANY_OBJECT }, OBSERVATION_FIELDS),
    state: withProperties(state ?? { title: 'State', ...ANY_OBJECT }, STATE_FIELDS),
    ...(reset_observation ? { reset_observation: withProperties(reset_observation, OBSERVATION_FIELDS) } : {}),
  };
}

/** Returns a schema that forbids unknown fields unless it says otherwise, as OpenEnv does for actions. */
function closed(schema: JsonSchema): JsonSchema {
  const combined = ['$ref', 'allOf', 'anyOf', 'oneOf', 'additionalProperties', 'unevaluatedProperties'].some(
    (key) => key in schema,
  );
  return combined || !schema.properties ? schema : { ...schema, additionalProperties: false };
}

/** Fields that every observation has in OpenEnv's schemas; on the wire they stand beside the observation. */
const OBSERVATION_FIELDS: JsonSchema = {
  done: { type: 'boolean', default: false, description: 'Whether the episode has ended' },
  reward: { type: ['number', 'null'], default: null, description: 'Reward of the last action' },
  metadata: { type: 'object', additionalProperties: true, description: 'Anything else' },
};

const STATE_FIELDS: JsonSchema = {
  episode_id: { type: ['string', 'null'], default: null, description: 'Name of the episode' },
  step_count: { type: 'integer', minimum: 0, default: 0, description: 'Steps taken in the episode' },
};

function withProperties(schema: JsonSchema, fields: JsonSchema): JsonSchema {
  return { ...schema, properties: { ...fields, ...schema.properties } };
}
