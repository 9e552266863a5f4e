import { isDeepStrictEqual } from 'node:util';
import { seededRandom } from '../common/random';
import { shown } from '../common/shown';
import { OpenEnvError } from '../openenv/errors';
import type { StepResult } from '../openenv/protocol';
import type { ActionSpace } from '../rollout/actions';
import type { NamedAction } from '../rollout/reference/actions';
import { CheckStopped, isLost, type CheckSession } from './session';

/** An answer to a reset or a step, the time that it took, and its size. */
export interface Answer {
  /** What was sent for a step. */
  action?: unknown;
  result?: StepResult;
  /** Why there is no result. */
  error?: OpenEnvError;
  milliseconds: number;
  /** Bytes of its observation as JSON. */
  bytes: number;
}

/** The answers of an episode: that to the reset first. */
export interface Trace {
  seed: number;
  episodeId: string;
  answers: Answer[];
}

/** Plays an episode from a seed: chosen actions, or those of an earlier episode. */
export interface Player {
  seed: number;
  episodeId: string;
  /** Returns the action for an answer; `undefined` ends the episode. */
  next(answer: StepResult, step: number): unknown;
}

/** Resets a session and plays until the episode ends, an error comes, or `over` says so. */
export async function playTrace(session: CheckSession, player: Player, over: () => boolean): Promise<Trace> {
  const turns = turnsOf(session, player);
  while (!over() && !(await turns.next()).done);
  return turns.trace;
}

/** Returns an episode that goes on by one answer with each `next()`, so that several can take turns. */
export function turnsOf(
  session: CheckSession,
  { seed, episodeId, next }: Player,
): {
  trace: Trace;
  next(): Promise<{ done: boolean }>;
} {
  const trace: Trace = { seed, episodeId, answers: [] };
  return {
    trace,
    async next() {
      const { answers } = trace;
      const last = answers.at(-1);
      if (last?.error || last?.result?.done) return { done: true };
      const action = last ? next(last.result!, answers.length - 1) : undefined;
      if (last && action === undefined) return { done: true };
      const answer = last
        ? await answered(() => session.step(action))
        : await answered(() => session.reset({ seed, episode_id: episodeId }));
      answers.push(last ? { action, ...answer } : answer);
      return { done: false };
    },
  };
}

async function answered(ask: () => Promise<StepResult>): Promise<Answer> {
  const started = performance.now();
  try {
    const result = await ask();
    const milliseconds = performance.now() - started;
    return { result, milliseconds, bytes: Buffer.byteLength(JSON.stringify(result.observation) ?? '') };
  } catch (error) {
    // A lost server, or an end from outside, is no answer.
    if (isLost(error) || error instanceof CheckStopped) throw error;
    const known = error instanceof OpenEnvError ? error : new OpenEnvError('EXECUTION_ERROR', String(error));
    return { error: known, milliseconds: performance.now() - started, bytes: 0 };
  }
}

/** Returns a player of random actions: of `legal_actions`, where the observation has them. */
export function randomPlayer(
  actions: readonly NamedAction[],
  space: ActionSpace,
  given: { seed: number; episodeId: string; steps: number; stream: number },
): Player {
  const random = seededRandom(given.seed, given.stream);
  return {
    ...given,
    next({ observation }, step) {
      if (step >= given.steps || actions.length === 0) return undefined;
      const legal: unknown[] = Array.isArray(observation.legal_actions) ? observation.legal_actions : [];
      const allowed = actions.filter(({ value }) => legal.includes(value));
      const choice = allowed.length > 0 ? allowed : actions;
      const { value } = choice[Math.floor(random.next() * choice.length)];
      const read = space.read({ kind: 'json', value: value as never });
      return 'action' in read ? read.action : undefined;
    },
  };
}

/** Returns a player of what was played. */
export function sameAgain({ seed, episodeId, answers }: Trace): Player {
  return { seed, episodeId, next: (_, step) => answers[step + 1]?.action };
}

/** Returns where two episodes differ, in words; `undefined` where they are the same. */
export function differenceOf(a: Trace, b: Trace): string | undefined {
  const length = Math.max(a.answers.length, b.answers.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.answers[i], b.answers[i]];
    const where = i === 0 ? 'the reset' : `step ${i}`;
    if (!x || !y) return `${where} came in one of the two only`;
    if (x.error || y.error) {
      if (x.error?.message === y.error?.message) continue;
      return `${where} failed in one of the two only: ${(x.error ?? y.error)!.message.split('\n')[0]}`;
    }
    const what = answerDifference(x.result!, y.result!);
    if (what) return `${where}: ${what}`;
  }
  return undefined;
}

/** Returns what differs between two answers, in words. */
export function answerDifference(a: StepResult, b: StepResult): string | undefined {
  if (a.done !== b.done) return `done was ${a.done}, then ${b.done}`;
  if (a.reward !== b.reward) return `reward was ${a.reward}, then ${b.reward}`;
  const names = new Set([...Object.keys(a.observation), ...Object.keys(b.observation)]);
  for (const name of names) {
    const [x, y] = [a.observation[name], b.observation[name]];
    if (!isDeepStrictEqual(x, y)) return `observation.${name} was ${shown(x, 60)}, then ${shown(y, 60)}`;
  }
  return undefined;
}
