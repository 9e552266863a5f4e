import { resolveSettings } from '../../common/settings';
import { CacheEntry } from '../../common/cache';
import type { ReferenceReturns } from '../../environments/reference';
import { cellContext } from '../../display/cellContext';
import type { RolloutEnvironment } from '../../environments/environment';
import { joylabVersion } from '../../common/versions';
import { checkPlayable, playSettings, referenceDeclaration, type ReferenceOptions } from '../settings';
import { measure } from './measure';

/**
 * Measurements of this process, by the name and options of built-in environments, and
 * by the environment object of others, whose server may change.
 */
const byKey = new Map<string, ReferenceReturns | null>();
const byEnvironment = new WeakMap<object, Map<number, ReferenceReturns | null>>();

/** The last measurement: one runs at a time, so that none is made twice. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Returns what play without skill gets in an environment: random legal actions, and
 * every action when it is always the same; and what a human gets, where that was
 * published. It is the scale of `normalizedReturn` and `winLoss`.
 *
 * #### Notes
 * - The first call plays about 50 episodes, which takes seconds; then the process
 *   knows it. What took more than two seconds of an environment that comes with Joylab
 *   is kept for other processes, too (`JOYLAB_CACHE`).
 * - The starts are its own, none of which training draws. The same environment gives
 *   the same numbers in every process, if it follows seeds.
 * - A schema with more than 32 actions has no constants: chance then draws from 256
 *   that it allows.
 *
 * @returns `null` where no action can be made of the schema, such as where actions are
 *   texts
 * @throws OpenEnvError where the environment could play nothing; the signal's reason
 *   when aborted
 */
export function referenceReturns(
  env: RolloutEnvironment,
  options: ReferenceOptions = {},
): Promise<ReferenceReturns | null> {
  checkPlayable(env);
  const { maxSteps, signal = cellContext().signal } = resolveSettings(referenceDeclaration, options);
  const mine = last.then(() => {
    const found = known(env, maxSteps);
    return found === undefined ? measureAndKeep(env, maxSteps, signal) : found;
  });
  last = mine.catch(() => {});
  return mine.then((found) => found && structuredClone(found));
}

/** Returns the reference returns that are known already; `undefined` where {@link referenceReturns} would have to play. */
export function knownReferenceReturns(
  env: RolloutEnvironment,
  maxSteps = playSettings.maxSteps.fallback,
): ReferenceReturns | null | undefined {
  return known(env, maxSteps);
}

function known(env: RolloutEnvironment, maxSteps: number): ReferenceReturns | null | undefined {
  const key = keyOf(env, maxSteps);
  if (key === undefined) return byEnvironment.get(env)?.get(maxSteps);
  const kept = byKey.has(key) ? undefined : keptAs(key).read();
  if (kept) byKey.set(key, JSON.parse(String(kept)));
  return byKey.get(key);
}

async function measureAndKeep(
  env: RolloutEnvironment,
  maxSteps: number,
  signal: AbortSignal,
): Promise<ReferenceReturns | null> {
  signal.throwIfAborted();
  const started = performance.now();
  const found = await measure(env, { maxSteps, signal });
  const key = keyOf(env, maxSteps);
  if (key === undefined) byEnvironment.set(env, (byEnvironment.get(env) ?? new Map()).set(maxSteps, found));
  else byKey.set(key, found);
  if (found && key !== undefined && performance.now() - started > WORTH_KEEPING)
    keptAs(key).write(JSON.stringify(found));
  return found;
}

/** Milliseconds of a measurement from which on it is kept on disk. */
const WORTH_KEEPING = 2000;

/** Version of the method of measurement: measurements of other versions are not used. */
const METHOD_VERSION = 2;

/**
 * Returns the cache entry of a measurement, for other processes of this release of
 * Joylab, which decides how its environments play.
 */
export function keptAs(key: string): CacheEntry {
  return new CacheEntry('reference', [METHOD_VERSION, joylabVersion(), key]);
}

/**
 * Returns the key of a built-in environment, which its name and options determine;
 * `undefined` for others, whose server may change.
 */
function keyOf({ builtIn, spec: { environment, options } }: RolloutEnvironment, maxSteps: number): string | undefined {
  return builtIn
    ? JSON.stringify([environment, Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)), maxSteps])
    : undefined;
}
