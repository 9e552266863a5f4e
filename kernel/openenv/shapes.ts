import { isObject } from '../schema/jsonSchema';
import { cut, plainText, readSchema } from '../schema/read';
import { OpenEnvError } from './errors';
import { shown } from '../common/shown';
import type { EnvironmentMetadata, EnvironmentSchema, EpisodeState, RpcAnswer, StepResult } from './protocol';

/*
 * What servers send within the protocol's messages, looked at before it is
 * used: an answer that is no answer must not count as a step that was taken.
 */

/** Returns the data of an observation message. Throws `PROTOCOL_ERROR` when it is not one. */
export function checkedStep(data: unknown): StepResult {
  const { observation, reward, done, metadata } = isObject(data)
    ? data
    : wrong('The observation message', 'data', 'an object', data);
  if (!isObject(observation)) wrong('The observation message', 'observation', 'an object', observation);
  if (typeof done !== 'boolean') wrong('The observation message', 'done', 'true or false', done);
  if (metadata !== undefined && metadata !== null && !isObject(metadata))
    wrong('The observation message', 'metadata', 'an object', metadata);
  if (Number.isFinite(reward) || reward === null) return data as unknown as StepResult;
  // OpenEnv's models allow true and false, which Python counts as 1 and 0. A reward is a number, also where it is a large integer.
  if (typeof reward === 'boolean' || (typeof reward === 'bigint' && Number.isFinite(Number(reward))))
    return { ...(data as unknown as StepResult), reward: Number(reward) };
  if (reward !== undefined) wrong('The observation message', 'reward', 'a finite number or null', reward);
  return { ...(data as unknown as StepResult), reward: null };
}

/** Returns the data of a state message. Throws `PROTOCOL_ERROR` when it is not one. */
export function checkedState(data: unknown): EpisodeState {
  return (isObject(data) ? data : wrong('The state message', 'data', 'an object', data)) as EpisodeState;
}

/** Returns the data of an answer to an MCP request. Throws `PROTOCOL_ERROR` when it is not one. */
export function checkedRpc(data: unknown): RpcAnswer {
  const { error } = isObject(data) ? data : wrong('The MCP message', 'data', 'an object', data);
  if (error !== undefined && error !== null && !(isObject(error) && typeof error.message === 'string'))
    wrong('The MCP message', 'error', 'an object with a message', error);
  return data as unknown as RpcAnswer;
}

/** Characters of a server's names, other texts and README, at most. */
const MAXIMUM_NAME = 200;
const MAXIMUM_TEXT = 5000;
const MAXIMUM_README = 1_000_000;

/**
 * Returns the texts of the document at `/metadata`, cut, and without control
 * characters that steer a terminal. An environment without a name gets `name`.
 */
export function readMetadata(document: unknown, name: string): EnvironmentMetadata {
  const members = isObject(document) ? Object.entries(document).filter(([, value]) => typeof value === 'string') : [];
  const most = (key: string): number =>
    key === 'readme_content' ? MAXIMUM_README : key === 'description' ? MAXIMUM_TEXT : MAXIMUM_NAME;
  const texts: Partial<EnvironmentMetadata> = Object.fromEntries(
    members.map(([key, value]) => [key, cut(plainText(value), most(key))]),
  );
  const own = texts.name?.replace(/\s+/g, ' ').trim();
  return { ...texts, name: own || name, description: texts.description ?? '' };
}

/** The schemas of a server that have been read. */
export interface ReadSchemas {
  schemas: EnvironmentSchema;
  /** Parts that were left out because they are too large: "actions: 48,000 of 50,000 fields". */
  leftOut: string[];
}

/** Returns the schemas of the document at `/schema`; `null` where it has no action's schema. A missing one allows everything. */
export function readSchemas(document: unknown): ReadSchemas | null {
  if (!isObject(document) || !isObject(document.action)) return null;
  const read = (['action', 'observation', 'state', 'reset_observation'] as const)
    .filter((name) => isObject(document[name]))
    .map((name) => [name, readSchema(document[name])] as const);
  const schemas: Partial<EnvironmentSchema> = Object.fromEntries(read.map(([name, { schema }]) => [name, schema]));
  return {
    schemas: { observation: {}, state: {}, ...schemas } as EnvironmentSchema,
    leftOut: read.flatMap(([name, { leftOut }]) => leftOut.map((what) => `${name}: ${what}`)),
  };
}

function wrong(message: string, field: string, wanted: string, value: unknown): never {
  const given = value === undefined ? 'it is missing' : `it is ${shown(value, 100)}`;
  throw new OpenEnvError(
    'PROTOCOL_ERROR',
    `${message} of the server is not OpenEnv's: ${field} has to be ${wanted}, ${given}.`,
  );
}
