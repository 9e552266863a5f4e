import { inspect } from 'node:util';
import { host } from '../display/host';
import { withProgress } from '../display/progress';
import { OpenEnvError } from '../openenv/errors';
import { DEFAULT_LIMITS, timeoutMessage, type Outcome } from '../strategy/outcome';
import { randomState } from '../strategy/secret';
import { isLockedDown, lockDown, StrategyError, type LockedDownFunction } from '../strategy/locked';
import { Stopwatch } from '../common/processorTime';
import { outcomeOf } from './action';
import { checkPlayable, isVector, lanesOf, recordOf, remember, unplayed, type RolloutEnvironment } from './environments';
import { Episode } from './episode';
import { openLane } from './lane';
import { mentionsRam, withRam, type Game, type Lane, type Played, type Player } from './play';
import { checkSeed, checkedLimits, unlessAborted, type PlayLimits } from './settings';

/** Options of {@link executeWithTimeLimit}. */
export interface ExecuteOptions extends PlayLimits {
  /** Seed of the episode: where it starts, its sticky actions and, with a secret of this process (see `JOYLAB_SECRET`), the strategy's `Math.random`. Default 0. */
  seed?: number;
}

/** A strategy: its source (JavaScript or TypeScript), a locked-down function, or a function of this process. */
export type Strategy = string | LockedDownFunction | ((state: any) => unknown);

const OPTION_NAMES = ['seconds', 'callSeconds', 'maxSteps', 'signal', 'seed'];

/** Milliseconds that an episode has to answer an abort with what was played so far. */
const ABORT = 100;

/**
 * Plays one episode with a strategy, in a game of its own: the episode that
 * `env.reset` and `env.step` play is not touched.
 *
 * A source runs in a sandbox of its own. A locked-down function starts afresh
 * and keeps its own limit per call. A plain function runs in this process,
 * where nothing can stop it in the middle of a call: it is for trying things
 * out, not for code that a model wrote.
 *
 * @returns the episode, whatever the strategy does: `episode.end` tells.
 *   Rejects with an `OpenEnvError` where the environment fails
 */
export async function executeWithTimeLimit(strategy: Strategy, env: RolloutEnvironment, options: ExecuteOptions = {}): Promise<Episode> {
  checkPlayable(env);
  checkStrategy(strategy);
  const { seconds, callSeconds, maxSteps } = checkedLimits(options, OPTION_NAMES);
  const { seed = 0, signal = host().signal } = options;
  checkSeed(seed);
  const game = { id: 0, seed, maxSteps, seconds, every: 0 };
  const played = await withProgress(`Playing an episode of ${env.name}`, 0, () => playOne(env, game, () => playerOf(strategy, seed, callSeconds), signal));
  if (played.error) throw new OpenEnvError(played.error.code, played.error.message);
  const episode = new Episode(recordOf(env, played));
  remember(episode, { env });
  return episode;
}

async function playOne(env: RolloutEnvironment, game: Game, seat: () => Promise<Player>, signal: AbortSignal): Promise<Played> {
  const opening = openOne(env);
  const lane = await unlessAborted(opening, signal);
  if (!lane) void opening.then((late) => late.close(), () => {});
  const games = [game];
  let played = unplayed(env, game);
  let [sessions, lent] = [0, false];
  const playing = lane?.play({
    slots: 1,
    waiting: () => games.length > 0,
    take: () => games.pop(),
    seat,
    done: (result) => void (played = result),
    aborted: () => signal.aborted,
    sessions: (change) => (sessions += change),
    waits: (why) => {
      if (lent || why !== 'full' || isVector(env)) return;
      lent = true;
      void env.release?.().catch(() => {});
    },
  });
  try {
    await unlessAborted(playing, signal);
    if (signal.aborted) await Promise.race([playing, pause(ABORT)]);
    return played;
  } finally {
    await lane?.close();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function openOne(env: RolloutEnvironment): Promise<Lane> {
  const [lane] = await lanesOf(env, 1);
  return openLane(lane, 1);
}

function checkStrategy(strategy: Strategy): void {
  if (typeof strategy === 'function' || typeof strategy === 'string') return;
  throw new TypeError(`A strategy is a source text, a locked-down function or a function, not ${strategy === null ? 'null' : typeof strategy}.`);
}

async function playerOf(strategy: Strategy, seed: number, callTimeLimit: number): Promise<Player> {
  if (isLockedDown(strategy)) {
    strategy.restart(seed);
    return { choose: chooserOf(strategy), dispose() {} };
  }
  if (typeof strategy === 'function') return { choose: (state, ram) => callHere(strategy, ram ? withRam(state, ram) : structuredClone(state), callTimeLimit), dispose() {} };
  try {
    const locked = await lockDown(strategy, { ...DEFAULT_LIMITS, callTimeLimit, callSetting: 'callSeconds', randomState: randomState(seed) });
    return { choose: chooserOf(locked), dispose: () => locked.dispose() };
  } catch (error) {
    if (!(error instanceof StrategyError)) throw error;
    return { choose: () => ({ outcome: { kind: 'failure', failure: error.failure }, seconds: 0 }), dispose() {} };
  }
}

function chooserOf(locked: LockedDownFunction): Player['choose'] {
  const seesRam = mentionsRam(locked.code);
  return (state, ram) => locked.attempt([seesRam && ram ? withRam(state, ram) : state]);
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
  if (seconds > callTimeLimit) outcome = { kind: 'failure', failure: { reason: 'timeout', message: timeoutMessage({ callTimeLimit, callSetting: 'callSeconds' }) } };
  return { outcome, seconds };
}
