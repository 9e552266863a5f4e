import { raceAbort } from '../common/raceAbort';
import { LocalEnvironment } from '../environments/local';
import type { RolloutEnvironment } from '../environments/environment';
import { openVectorEnvs, type VectorEnv } from '../environments/vectorEnv';
import type { OpenEnvClient } from '../openenv/client';
import { OpenEnvError } from '../openenv/errors';
import type { Tool } from '../openenv/mcp';
import type { EpisodeState, ResetArguments, StepResult } from '../openenv/protocol';
import { actionSpace, type ActionSpace } from '../rollout/actions';

/** Thrown when the time is up, or the user has interrupted. */
export class CheckStopped extends Error {
  override readonly name = 'CheckStopped';
}

/** A session of its own with an environment, as near to what it sends as there is. */
export interface CheckSession {
  reset(args: ResetArguments): Promise<StepResult>;
  /** @param action as {@link actionSpace} reads it */
  step(action: unknown): Promise<StepResult>;
  state?(): Promise<EpisodeState>;
  listTools?(): Promise<Tool[]>;
  callTool?(name: string, args: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
}

/** An environment whose sessions are looked at: a server's client, an object, or one of Joylab's games. */
type Looked = RolloutEnvironment & {
  newSession?(options: object): Promise<OpenEnvClient>;
  reset?(args: ResetArguments): Promise<StepResult>;
  step?(action: any): Promise<StepResult>;
  state?(): Promise<EpisodeState>;
};

/** Milliseconds that a session may take to open where the server is full. */
const FULL = 3000;

/** Opens the sessions of a check, and closes what is left of them. */
export class CheckSessions {
  readonly space: ActionSpace;
  private readonly env: Looked;
  private readonly open = new Set<CheckSession>();
  /** Whether the environment's own session was given back, since the server was full. */
  private released = false;

  /** @param signal ends every call that waits */
  constructor(
    env: RolloutEnvironment,
    private readonly signal: AbortSignal,
  ) {
    this.env = env as Looked;
    this.space = actionSpace(env.spec);
  }

  /**
   * Opens a session with an episode of its own. A server with room for one gets the
   * environment's own session back before; then a second one is not to be had.
   *
   * @throws OpenEnvError `CAPACITY_REACHED` where there is no room
   */
  async session(): Promise<CheckSession> {
    const session = await this.unlessStopped(this.opened());
    const tracked = this.guarded(session, async () => {
      if (this.open.delete(tracked)) await session.close().catch(() => {});
    });
    this.open.add(tracked);
    return tracked;
  }

  /** Returns the session in which answers come as they are sent: that of the environment itself where no other has them. */
  async contractSession(): Promise<CheckSession> {
    const { env } = this;
    if (env.newSession || env instanceof LocalEnvironment || !env.reset || !env.step) return this.session();
    const own: CheckSession = {
      reset: (args) => env.reset!(args),
      step: (action) => env.step!(typeof action === 'number' ? env.actions[action] : action),
      ...(env.state && { state: () => env.state!() }),
      close: async () => {},
    };
    return this.guarded(own, own.close);
  }

  /** Returns a session whose calls end with the signal. */
  private guarded(session: CheckSession, close: () => Promise<void>): CheckSession {
    const { state, listTools, callTool } = session;
    return {
      reset: (args) => this.unlessStopped(session.reset(args)),
      step: (action) => this.unlessStopped(session.step(action)),
      ...(state && { state: () => this.unlessStopped(state.call(session)) }),
      ...(listTools && { listTools: () => this.unlessStopped(listTools.call(session)) }),
      ...(callTool && { callTool: (name, args) => this.unlessStopped(callTool.call(session, name, args)) }),
      close,
    };
  }

  private unlessStopped<Result>(work: Promise<Result>): Promise<Result> {
    return raceAbort(work, this.signal).catch((error) => {
      throw this.signal.aborted ? new CheckStopped() : error;
    });
  }

  /** Closes the sessions that are open. */
  async close(): Promise<void> {
    await Promise.all([...this.open].map((session) => session.close()));
  }

  private async opened(): Promise<CheckSession> {
    const { env } = this;
    if (env instanceof LocalEnvironment) return local(env.withOptions(env.options));
    return env.newSession ? this.remote() : this.vector();
  }

  private async remote(): Promise<CheckSession> {
    try {
      return await this.env.newSession!({ capacityTimeout: this.released ? FULL : 0 });
    } catch (error) {
      if (!isFull(error) || this.released) throw error;
      await this.releaseOwn();
      return this.remote();
    }
  }

  private async vector(): Promise<CheckSession> {
    const [source] = await this.env.vectorSources(1);
    const envs = openVectorEnvs(source);
    const found = await envs.open(1);
    if (typeof found === 'object') return new VectorSession(found, () => envs.close());
    const failure = envs.failure(0);
    await envs.close();
    if (found !== 'full' || this.released) throw failure;
    await this.releaseOwn();
    return this.vector();
  }

  /** Gives the environment's own session back, which may be what fills the server. */
  private async releaseOwn(): Promise<void> {
    this.released = true;
    await this.env.release?.();
  }
}

/** Returns whether an error says that a server has no room. */
export function isFull(error: unknown): boolean {
  return error instanceof OpenEnvError && error.code === 'CAPACITY_REACHED';
}

/** Returns whether an error says that the server, or the connection to it, is gone. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof OpenEnvError &&
    ['CONNECTION_LOST', 'CONNECTION_FAILED', 'TIMEOUT', 'SESSION_ERROR', 'LAUNCH_FAILED', 'CLOSED'].includes(error.code)
  );
}

/** Returns an object's session; what it prints or needs is its own. */
function local(env: LocalEnvironment): CheckSession {
  return {
    // A class that knows no episode IDs gets none.
    reset: (args) => env.reset(args),
    step: (action) => env.step(action as object),
    state: () => env.state(),
    close: () => env.close(),
  };
}

/** A sub-environment of its own as a session. */
class VectorSession implements CheckSession {
  constructor(
    private readonly env: VectorEnv,
    private readonly closed: () => Promise<void>,
  ) {}

  async reset({ seed = 0 }: ResetArguments): Promise<StepResult> {
    return result(await this.env.reset([0], [seed], { every: 0 }), true);
  }

  async step(action: unknown): Promise<StepResult> {
    return result(await this.env.step([0], [action]), false);
  }

  close(): Promise<void> {
    return this.closed();
  }
}

function result(step: Awaited<ReturnType<VectorEnv['step']>>, first: boolean): StepResult {
  const error = step.errors?.[0];
  if (error) throw error;
  const { state, arrays } = step.observations[0];
  return {
    // What is given may be changed by the next step.
    observation: structuredClone({ ...state, ...arrays }),
    reward: first ? null : step.rewards[0],
    done: Boolean(step.terminated[0] || step.truncated[0]),
  };
}
