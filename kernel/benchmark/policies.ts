import { createHash } from 'node:crypto';
import { ChatModel } from '../chat';
import type { RolloutEnvironment } from '../environments/environment';
import type { ReferenceReturns } from '../environments/reference';
import { CausalLM } from '../models';
import { actionChoice } from '../rollout/reference/actions';
import { chanceCode, constantCode } from '../rollout/reference/measure';
import type { PolicyKind } from './entry';
import type { BenchmarkPolicy } from './settings';

/** A policy under its name, ready to be played. */
export type NamedPolicy = {
  name: string;
  /** See `BenchmarkEntry.identity`. */
  identity: string;
  /** Whether an entry of the same identity is the same policy: of a function only its source is known. */
  known: boolean;
} & PlayedPolicy;

/** How a policy comes to its actions. */
type PlayedPolicy =
  | { kind: 'model'; model: CausalLM }
  | { kind: 'chat'; model: ChatModel }
  | { kind: 'function'; choose: (state: any) => unknown }
  | { kind: Extract<PolicyKind, 'program' | 'random' | 'constant'>; codeFor: CodeFor };

/** Returns the source that plays an environment. Throws an Error where there is none, in one line. */
type CodeFor = (env: RolloutEnvironment, reference: ReferenceReturns | null) => string;

/**
 * Returns the policies of a benchmark.
 *
 * @throws TypeError where there is none, or one is of another kind
 */
export function namedPolicies(given: unknown): NamedPolicy[] {
  const entries = typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(given) : [];
  if (entries.length === 0)
    throw new TypeError(
      "benchmark: policies must be an object of policies by name: { random: 'random', trained: model }.",
    );
  return entries.map(([name, policy]) => named(name, policy));
}

function named(name: string, policy: BenchmarkPolicy): NamedPolicy {
  if (policy instanceof CausalLM) {
    const digest = weightsDigest(policy);
    return {
      name,
      kind: 'model',
      model: policy,
      identity: digest ? `${policy.modelName} ${digest}` : policy.modelName,
      known: digest !== null,
    };
  }
  if (policy instanceof ChatModel)
    return { name, kind: 'chat', model: policy, identity: addressOf(policy), known: true };
  if (typeof policy === 'function')
    return { name, kind: 'function', choose: policy, identity: digestOf(String(policy)), known: false };
  if (policy === 'random') return { name, kind: 'random', codeFor: randomCode, identity: 'random', known: true };
  if (policy === 'constant')
    return { name, kind: 'constant', codeFor: bestConstantCode, identity: 'constant', known: true };
  const code = typeof policy === 'string' ? policy : (policy as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && /\bstrategy\b/.test(code))
    return { name, kind: 'program', codeFor: () => code, identity: digestOf(code), known: true };
  throw new TypeError(
    `benchmark: the policy ${name} is none: it must be a model, a chatModel, a program (trainer.programs.best()), the source of a function strategy(state), a function (state) => action, 'random' or 'constant'.`,
  );
}

function randomCode(env: RolloutEnvironment): string {
  const { actions } = actionChoice(env);
  if (actions.length === 0) throw new Error(`The actions of ${env.name} cannot be listed, so none can be drawn.`);
  return chanceCode(actions);
}

function bestConstantCode(env: RolloutEnvironment, reference: ReferenceReturns | null): string {
  const best = reference?.constants[0];
  const action = actionChoice(env).actions.find(({ name }) => name === best?.action);
  if (!action) throw new Error(`${env.name} has too many actions to try each as a constant.`);
  return `// always ${best!.action}: of all constant actions the best on other starts\n${constantCode(action.value)}`;
}

/** Returns what a model behind an address is known by, with the options that change its answers; the key is none. */
function addressOf({ baseUrl, model, options }: ChatModel): string {
  const { temperature, topP, maxTokens, systemPrompt, extraBody } = options;
  const changes = Object.entries({ temperature, topP, maxTokens, systemPrompt, extraBody }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return `${model} at ${baseUrl}${changes.length > 0 ? ` ${JSON.stringify(Object.fromEntries(changes))}` : ''}`;
}

/** Returns a digest of a model's weights with its adapter's; `null` where they are not in this process. */
function weightsDigest(model: CausalLM): string | null {
  if (model.whyNotHere) return null;
  const hash = createHash('sha256');
  const add = (name: string, ...arrays: ArrayBufferView[]): void => {
    hash.update(name);
    for (const { buffer, byteOffset, byteLength } of arrays)
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  };
  for (const [name, { data }] of model.weights) add(name, data);
  for (const [name, weight] of model.quantized) add(name, ...Object.values(weight).filter(ArrayBuffer.isView));
  if (model.adapter) {
    hash.update(JSON.stringify(model.adapter.config));
    for (const [name, { a, b }] of model.adapter.pairs) add(name, a.data, b.data);
  }
  return hash.digest('hex').slice(0, 16);
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
