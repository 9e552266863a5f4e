import { notTried, type Finding, type ResultBook } from './book';
import { CheckStopped, isFull, type CheckSession, type CheckSessions } from './session';
import {
  answerDifference,
  differenceOf,
  playTrace,
  randomPlayer,
  sameAgain,
  turnsOf,
  type Player,
  type Trace,
} from './trace';
import type { NamedAction } from '../rollout/reference/actions';

/** Seeds of the starts that are looked at: training draws its own below 2³¹. */
const FIRST_SEED = 2 ** 31;
/** Starts that are compared with one another. */
const STARTS = 5;

const DRAWS =
  'Draw all that is random from the seed of the reset (this.random in a class; random.Random(seed) in Python), anew at each reset.';

/** What the checks of reproducibility play with. */
export interface Reproducible {
  sessions: CheckSessions;
  actions: readonly NamedAction[];
  /** Steps of an episode, at most. */
  steps: number;
  book: ResultBook;
  /** Whether the time is up. */
  over: () => boolean;
}

/**
 * Checks seeds, determinism, isolation and replay: an episode is played, again in
 * another session, beside another one, and after others. Returns what was played.
 */
export async function checkReproducible(check: Reproducible): Promise<Trace[]> {
  const { sessions, book } = check;
  const play = async (player: Player): Promise<Trace> => within(sessions, (session) => whole(check, session, player));
  const one = await play(playerOf(check, 0));
  const traces = [one];
  await book.check('runtime.seed_control', () => seedControl(check, one));
  await book.check('runtime.episode_determinism', async () => {
    traces.push(await play(sameAgain(one)));
    return determinism(one, traces.at(-1)!);
  });
  await book.check('semantic.replayability', () =>
    within(sessions, async (session) => {
      const other = playerOf(check, 1);
      await whole(check, session, sameAgain(one));
      await whole(check, session, other);
      return replayability(one, await whole(check, session, sameAgain(one)));
    }),
  );
  await book.check('runtime.episode_isolation', async () => {
    const two = await play(playerOf(check, 1));
    traces.push(two);
    return isolation(check, one, two);
  });
  return traces;
}

/** Plays an episode to its end. Throws where the time is up before: a part of one says nothing. */
async function whole({ over }: Reproducible, session: CheckSession, player: Player): Promise<Trace> {
  const trace = await playTrace(session, player, over);
  if (over()) throw new CheckStopped();
  return trace;
}

function playerOf({ actions, sessions, steps }: Reproducible, stream: number): Player {
  const given = { seed: FIRST_SEED + stream, episodeId: `check-${stream}`, steps, stream };
  return randomPlayer(actions, sessions.space, given);
}

async function within<Result>(
  sessions: CheckSessions,
  work: (session: CheckSession) => Promise<Result>,
): Promise<Result> {
  const session = await sessions.session();
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function seedControl({ sessions, over }: Reproducible, one: Trace): Promise<Finding> {
  const first = one.answers[0].result!;
  const starts = [first];
  const again = await within(sessions, async (session) => {
    const reset = (seed: number) => session.reset({ seed, episode_id: one.episodeId });
    const same = await reset(one.seed);
    for (let i = 1; i < STARTS && !over(); i++) starts.push(await reset(one.seed + i));
    return same;
  });
  const difference = answerDifference(first, again);
  if (difference)
    return {
      status: 'fail',
      evidence: [`Two sessions were reset with the seed ${one.seed}, and began differently: ${difference}.`],
      remediation: DRAWS,
    };
  const others = starts.slice(1).filter((start) => answerDifference(first, start) !== undefined).length;
  return {
    status: 'pass',
    evidence: [
      'Two sessions with one seed began alike.',
      others > 0
        ? `${others} of ${starts.length - 1} other seeds began otherwise.`
        : `${starts.length - 1} other seeds began like it: there is one start, or the observation does not show the difference.`,
    ],
    measured: { seeds: starts.length, other_starts: others },
  };
}

function determinism(one: Trace, again: Trace): Finding {
  const difference = differenceOf(one, again);
  const steps = one.answers.length - 1;
  if (steps === 0) return notTried('no step could be taken.');
  return difference
    ? {
        status: 'fail',
        evidence: [`Another session with the same seed and actions went another way at ${difference}.`],
        measured: { steps },
        remediation: `${DRAWS} Times, IDs and counters of the process do not belong into observations.`,
      }
    : {
        status: 'pass',
        evidence: [`Two sessions with the same seed and ${steps} actions gave the same episode.`],
        measured: { steps },
      };
}

function replayability(one: Trace, replayed: Trace): Finding {
  const difference = differenceOf(one, replayed);
  const steps = one.answers.length - 1;
  return difference
    ? {
        status: 'fail',
        evidence: [`A session that had played other episodes went another way at ${difference}.`],
        measured: { steps },
        remediation: 'Set everything back at a reset: something of earlier episodes is left.',
      }
    : {
        status: 'pass',
        evidence: [`A session that had played two episodes gave one of ${steps} steps again.`],
        measured: { steps },
      };
}

/** Plays two episodes in turns, a step of each, and compares them with the same ones played alone. */
async function isolation({ sessions, over }: Reproducible, one: Trace, two: Trace): Promise<Finding> {
  const first = await sessions.session();
  let second: CheckSession | undefined;
  try {
    second = await sessions.session();
    const [a, b] = [turnsOf(first, sameAgain(one)), turnsOf(second, sameAgain(two))];
    for (let running = true; running && !over(); ) {
      const [x, y] = [await a.next(), await b.next()];
      running = !x.done || !y.done;
    }
    if (over()) throw new CheckStopped();
    const steps = a.trace.answers.length + b.trace.answers.length - 2;
    const difference = differenceOf(one, a.trace) ?? differenceOf(two, b.trace);
    return difference
      ? {
          status: 'fail',
          evidence: [`Beside another session that took turns with it, an episode went another way at ${difference}.`],
          measured: { steps },
          remediation:
            'Keep the state of an episode in the object of its session, not in variables of the module or of the class.',
        }
      : {
          status: 'pass',
          evidence: [`Two sessions took turns for ${steps} steps, and each went as it does alone.`],
          measured: { steps },
        };
  } catch (error) {
    if (isFull(error)) return notTried('the server has room for one session at a time (max_concurrent_envs).');
    throw error;
  } finally {
    await Promise.all([first.close(), second?.close()]);
  }
}
