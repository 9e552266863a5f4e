import { OpenEnvError } from './errors';
import type { EnvironmentMetadata, EnvironmentSchema, EpisodeState, RpcAnswer, StepResult } from './protocol';

/*
 * What servers send within the protocol's messages, looked at before it is
 * used: an answer that is no answer must not count as a step that was taken.
 */

/** The data of an observation message. Fails with `PROTOCOL_ERROR`, which names what is wrong. */
export function checkedStep(data: unknown): StepResult {
  const { observation, reward, done, metadata } = isObject(data) ? data : wrong('The observation message', 'data', 'an object', data);
  if (!isObject(observation)) wrong('The observation message', 'observation', 'an object', observation);
  if (typeof done !== 'boolean') wrong('The observation message', 'done', 'true or false', done);
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) wrong('The observation message', 'metadata', 'an object', metadata);
  if (Number.isFinite(reward) || reward === null) return data as unknown as StepResult;
  // OpenEnv's models allow true and false, which Python counts as 1 and 0.
  if (typeof reward === 'boolean') return { ...(data as unknown as StepResult), reward: Number(reward) };
  if (reward !== undefined) wrong('The observation message', 'reward', 'a finite number or null', reward);
  return { ...(data as unknown as StepResult), reward: null };
}

/** The data of a state message. */
export function checkedState(data: unknown): EpisodeState {
  return (isObject(data) ? data : wrong('The state message', 'data', 'an object', data)) as EpisodeState;
}

/** The data of an answer to an MCP request. */
export function checkedRpc(data: unknown): RpcAnswer {
  const { error } = isObject(data) ? data : wrong('The MCP message', 'data', 'an object', data);
  if (error !== undefined && error !== null && !(isObject(error) && typeof error.message === 'string')) wrong('The MCP message', 'error', 'an object with a message', error);
  return data as unknown as RpcAnswer;
}

/** The document at `/metadata`, of which only text is taken; an environment without a name has the `name` given here. */
export function readMetadata(document: unknown, name: string): EnvironmentMetadata {
  const told = isObject(document) ? Object.entries(document).filter(([, value]) => typeof value === 'string') : [];
  const texts: Partial<EnvironmentMetadata> = Object.fromEntries(told);
  return { ...texts, name: texts.name || name, description: texts.description ?? '' };
}

/** The document at `/schema`, where it has schemas; what it lacks allows everything. */
export function readSchemas(document: unknown): EnvironmentSchema | null {
  if (!isObject(document) || !isObject(document.action)) return null;
  const { action, observation, state, reset_observation } = document;
  return {
    action,
    observation: isObject(observation) ? observation : {},
    state: isObject(state) ? state : {},
    ...(isObject(reset_observation) ? { reset_observation } : {}),
  };
}

function isObject(value: unknown): value is Record<string, any> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(message: string, field: string, wanted: string, value: unknown): never {
  const given = value === undefined ? 'it is missing' : `it is ${typeof value === 'number' ? value : JSON.stringify(value).slice(0, 100)}`;
  throw new OpenEnvError('PROTOCOL_ERROR', `${message} of the server is not OpenEnv's: ${field} has to be ${wanted}, ${given}.`);
}
