import { episodeData } from '../../display/pictures/episode';
import type { ReplayData } from '../../display/rollouts';
import type { Observation } from '../../environments/vectorEnv';
import type { EpisodeRecord } from '../../episodes/episode';
import { frameInterval } from '../../episodes/frames';
import { playAgain } from '../../rollout/replay';
import { lockedPolicy, type Policy } from '../../rollout/policies';
import { markedProgram, readMark } from '../../strategy/lineMarks';
import { lockDown } from '../../strategy/locked';
import { DEFAULT_LIMITS, type Outcome } from '../../strategy/outcome';
import { randomState } from '../../strategy/secret';
import { replayEnvironment } from './environments';
import type { KeptEpisode } from './reader';

/** Steps of an episode whose replay has a frame for each, at most. */
const ALL_FRAMES = 3000;

/** An episode that was played again. */
export interface Replay {
  data: ReplayData;
  /** The deflated frames. */
  frames: Uint8Array;
}

/** Options of {@link replayKept}. */
export interface ReplayKeptOptions {
  /** Steps between two frames; as few as the length allows by default. */
  every?: number;
  /** Whether the program runs beside the replay, to tell which of its lines decided each step. */
  lines?: boolean;
  signal: AbortSignal;
}

/**
 * Plays a kept episode again.
 *
 * @throws Error that says why it cannot be, or in what it went another way
 */
export async function replayKept(
  kept: KeptEpisode,
  { every, lines = false, signal }: ReplayKeptOptions,
): Promise<Replay> {
  const episode: EpisodeRecord = { ...kept.episode, states: kept.episode.states ?? {} };
  const steps = episode.actions.length;
  const chosen = Math.min(255, every ?? (steps <= ALL_FRAMES ? 1 : frameInterval(steps)));
  const witness = lines ? await witnessOf(kept) : null;
  try {
    const env = await replayEnvironment(episode);
    const watched = (policy: Policy): Policy => (witness ? witness.beside(policy) : policy);
    const { frames, record } = await playAgain(episode, env, { every: chosen, signal }, watched);
    const packed = episodeData(episode, frames);
    return {
      data: {
        episode: { ...packed, frames: '' },
        states: record.states,
        lines: witness?.lines ?? null,
        ...(witness?.note && { note: witness.note }),
      },
      frames: Buffer.from(packed.frames, 'base64'),
    };
  } finally {
    witness?.dispose();
  }
}

async function witnessOf({ code, episode, secret }: KeptEpisode): Promise<Witness | null> {
  if (code === null) return null;
  const limits = { ...DEFAULT_LIMITS, randomState: randomState(episode.seed, secret) };
  const locked = await lockDown(markedProgram(code), limits);
  return new Witness(
    lockedPolicy(locked, () => locked.dispose()),
    episode,
  );
}

/** A program that runs beside the replay of its episode: it sees the same, and tells the line by which it decides. */
class Witness {
  readonly lines: number[] = [];
  note: string | undefined;

  constructor(
    private readonly program: Policy,
    private readonly episode: Pick<EpisodeRecord, 'actions' | 'actionNames'>,
  ) {}

  /** Returns a policy that makes the recorded choices and asks the program at each. */
  beside(recorded: Policy): Policy {
    return {
      choose: (observation: Observation) => {
        if (this.lines.length < this.episode.actions.length) this.look(this.program.choose(observation).outcome);
        return recorded.choose(observation);
      },
      dispose: () => recorded.dispose(),
    };
  }

  dispose(): void {
    this.program.dispose();
  }

  private look(outcome: Outcome): void {
    const step = this.lines.length;
    const { line, answer } = readMark(outcome);
    this.lines.push(line);
    if (this.note === undefined && answer !== undefined && !this.isRecorded(step, answer))
      this.note = `From step ${step + 1} on the program chooses otherwise than recorded: the lines after it may be others than those that played.`;
  }

  /** Returns whether an answer is the recorded action; those that are neither a name nor a number are not compared. */
  private isRecorded(step: number, answer: unknown): boolean {
    const { actions, actionNames } = this.episode;
    if (typeof answer === 'string') return answer === actionNames[actions[step]] || !actionNames.includes(answer);
    return typeof answer !== 'number' || actionNames.length === 0 || answer === actions[step];
  }
}
