import { inspect } from 'node:util';
import { host } from '../display/host';
import { VectorClient } from '../openenv/vector';
import { timeoutMessage, type Outcome } from '../strategy/outcome';
import { createLockedDownFunction, isLockedDown, StrategyError, type LockedDownFunction } from '../strategy/locked';
import { Stopwatch } from '../strategy/processorTime';
import { outcomeOf } from './action';
import { checkPlayable, recordOf, remember, unplayed, type RolloutEnvironment } from './environments';
import { Episode } from './episode';
import { mentionsRam, play, withRam, type Game, type Played, type Player } from './play';
import { checkSeed, checkedLimits, type PlayLimits } from './settings';

/** Options of {@link executeWithTimeLimit}. */
export interface ExecuteOptions extends PlayLimits {
  /** Seed of the episode: where it starts, its sticky actions, and the strategy's `Math.random`. Default 0. */
  seed?: number;
}

/** A strategy: its source (JavaScript or TypeScript), a locked-down function, or a function of this process. */
export type Strategy = string | LockedDownFunction | ((state: any) => unknown);

const OPTION_NAMES = ['seconds', 'callSeconds', 'maxSteps', 'signal', 'seed'];

/**
 * Plays one episode with a strategy, in a game of its own: the episode that
 * `env.reset` and `env.step` play is not touched.
 *
 * A source runs in a sandbox of its own. A locked-down function starts afresh
 * and keeps its own limit per call. A plain function runs in this process,
 * where nothing can stop it in the middle of a call: it is for trying things
 * out, not for code that a model wrote.
 *
 * @returns the episode, whatever the strategy does: `episode.end` tells
 */
export async function executeWithTimeLimit(strategy: Strategy, env: RolloutEnvironment, options: ExecuteOptions = {}): Promise<Episode> {
  checkPlayable(env);
  const { seconds, callSeconds, maxSteps } = checkedLimits(options, OPTION_NAMES);
  const { seed = 0, signal = host().signal } = options;
  checkSeed(seed);
  const player = await playerOf(strategy, seed, callSeconds);
  try {
    const played = await playOne(env, { id: 0, seed, maxSteps, seconds, every: 0 }, player, signal);
    const episode = new Episode(recordOf(env, played));
    remember(episode, { env });
    return episode;
  } finally {
    player.dispose();
  }
}

async function playOne(env: RolloutEnvironment, game: Game, player: Player, signal: AbortSignal): Promise<Played> {
  const client = await unlessAborted(connect(env), signal);
  let played = unplayed(env, game);
  if (!client) return played;
  const games = [{ game, player }];
  try {
    await play(client, env, {
      slots: 1,
      next: async () => games.pop(),
      done: (result) => void (played = result),
      aborted: () => signal.aborted,
    });
    return played;
  } finally {
    await client.close();
  }
}

async function connect(env: RolloutEnvironment): Promise<VectorClient> {
  const [lane] = await env.vectorLanes(1);
  return VectorClient.connect(lane.url, { numEnvs: 1, options: env.options });
}

/** The connection, or nothing when the abort comes first; one that comes later is closed again. */
async function unlessAborted(connecting: Promise<VectorClient>, signal: AbortSignal): Promise<VectorClient | undefined> {
  let stop!: () => void;
  const aborted = new Promise<undefined>((resolve) => (stop = () => resolve(undefined)));
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const client = await Promise.race([aborted, connecting]).finally(() => signal.removeEventListener('abort', stop));
  if (!client) connecting.then((late) => late.close(), () => {});
  return client;
}

async function playerOf(strategy: Strategy, seed: number, callTimeLimit: number): Promise<Player> {
  if (isLockedDown(strategy)) {
    strategy.restart(seed);
    return { choose: chooserOf(strategy), dispose() {} };
  }
  if (typeof strategy === 'function') return { choose: (state, ram) => callHere(strategy, withRam(state, ram), callTimeLimit), dispose() {} };
  if (typeof strategy !== 'string') {
    throw new TypeError(`A strategy is a source text, a locked-down function or a function, not ${strategy === null ? 'null' : typeof strategy}.`);
  }
  try {
    const locked = await createLockedDownFunction(strategy, { seed, callTimeLimit });
    return { choose: chooserOf(locked), dispose: () => locked.dispose() };
  } catch (error) {
    if (!(error instanceof StrategyError)) throw error;
    return { choose: () => ({ outcome: { kind: 'failure', failure: error.failure }, seconds: 0 }), dispose() {} };
  }
}

function chooserOf(locked: LockedDownFunction): Player['choose'] {
  const seesRam = mentionsRam(locked.code);
  return (state, ram) => locked.attempt([seesRam ? withRam(state, ram) : state]);
}

/** Calls a function of this process. That it took too long can only be told afterwards. */
function callHere(strategy: (state: any) => unknown, state: object, callTimeLimit: number): ReturnType<Player['choose']> {
  const stopwatch = new Stopwatch();
  stopwatch.start();
  let outcome: Outcome;
  try {
    outcome = outcomeOf(strategy(state));
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
    outcome = { kind: 'failure', failure: { reason: 'error', message } };
  }
  const seconds = stopwatch.elapsed / 1000;
  if (seconds > callTimeLimit) outcome = { kind: 'failure', failure: { reason: 'timeout', message: timeoutMessage(callTimeLimit) } };
  return { outcome, seconds };
}
