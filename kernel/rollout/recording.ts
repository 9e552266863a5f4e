import { stringifyExact } from '../common/exactJson';
import type { EpisodeSpec, Observation, VectorEnv, VectorStep } from '../environments/vectorEnv';
import type { EpisodeEnd, EpisodeRecord } from '../episodes/episode';
import { ChangedFrames } from '../episodes/changes';
import { svgFrames, type EpisodeFrames } from '../episodes/frames';
import type { LiveEpisode } from '../episodes/live';
import type { OpenEnvError } from '../openenv/errors';
import { shown } from '../common/shown';
import type { ActionSpace, ActionTable } from './actions';
import type { Policy } from './policies';

/** An episode to be played: one policy from one seed. */
export interface Job {
  id: number;
  seed: number;
  /** Steps after which the episode is truncated. */
  maxSteps: number;
  /** Processor seconds that the policy has for the whole episode. */
  seconds: number;
  /** Steps between two frames that are kept; 0: none. */
  every: number;
  /** Whether frames of pixels are kept packed, by what changes. */
  packed?: boolean;
  /** Its places among the episodes that a {@link LiveView} shows, in rising order. */
  livePlaces?: number[];
}

/** An episode that was played. */
export interface Played {
  id: number;
  record: EpisodeRecord;
  /** The frames, where they were requested and the environment has some. */
  frames?: EpisodeFrames;
  /** The error of an environment that did not play it to its end. */
  error?: Pick<OpenEnvError, 'code' | 'message'>;
}

/** The end of an episode that the user interrupted. */
export const ABORTED: EpisodeEnd = { reason: 'aborted', message: 'the run was interrupted' };

/** Characters of JSON that the observations of an episode may take; beyond them, those in the middle are left out. */
const OBSERVATIONS_BUDGET = 8_000_000;
/** Characters of JSON that the distinct actions of an episode may take: the record holds them all. */
const ACTIONS_BUDGET = 8_000_000;

/** A running episode: what its policy observes and does next, and its record. */
export class Recording {
  /** The action that the policy chose. */
  action: unknown;
  /** How the episode ended; `undefined` while it runs. */
  end: EpisodeEnd | undefined;
  private ownTime = 0;
  private observation: Observation = { state: {} };
  /** The picture of the last step, of an episode of drawings that has none there. */
  private lastPicture: string | undefined;
  private error: Played['error'];
  private readonly table: ActionTable;
  private readonly actions: number[] = [];
  private readonly rewards: number[] = [];
  private readonly lives: number[] = [];
  private readonly states: Record<string, number[]>;
  private readonly observations: (Record<string, any> | null)[] = [];
  /** Characters of the observations that are kept. */
  private observed = 0;
  private readonly frames: (Uint8Array | string)[] = [];
  /** In their place, where they are kept packed. */
  private packed: ChangedFrames | undefined;

  /** @param index index of the sub-environment that plays it */
  constructor(
    readonly job: Job,
    readonly policy: Policy | undefined,
    readonly index: number,
    private readonly spec: EpisodeSpec,
    private readonly space: ActionSpace,
  ) {
    this.table = space.table();
    this.states = Object.fromEntries(spec.stateVariables.map((name) => [name, []]));
  }

  /**
   * Records the reset.
   *
   * @param i index of the episode in the answer
   */
  begin(step: VectorStep, i: number): void {
    const error = step.errors?.[i];
    if (error) this.fail(error);
    else this.see(step, i);
  }

  /** Asks the policy for its action. */
  choose(): void {
    const { outcome, seconds } = this.policy!.choose(this.observation);
    this.ownTime += seconds;
    const answer = this.space.read(outcome);
    if (!('action' in answer)) this.end = answer;
    else if (this.ownTime > this.job.seconds)
      this.end = {
        reason: 'timeout',
        message: `more than ${this.job.seconds} s of the strategy's own time (strategyTimeLimit)`,
      };
    else this.action = answer.action;
  }

  /**
   * Records the step that follows from the action.
   *
   * @param i index of the episode in the answer
   */
  follow(step: VectorStep, i: number): void {
    const error = step.errors?.[i];
    if (error) return this.refused(error);
    this.actions.push(this.table.indexOf(this.action));
    this.rewards.push(step.rewards[i]);
    if (step.lives) this.lives.push(step.lives[i]);
    this.see(step, i);
    if (this.end) return;
    if (this.table.size > ACTIONS_BUDGET)
      this.end = { reason: 'memory', message: `its actions take more than ${ACTIONS_BUDGET} characters` };
    else if (this.actions.length >= this.job.maxSteps)
      this.end = { reason: 'truncated', message: `${this.job.maxSteps} steps` };
  }

  /** What its policy sees now. */
  get seen(): Observation {
    return this.observation;
  }

  /** Returns what was played so far, in numbers. */
  soFar(): Pick<LiveEpisode, 'steps' | 'return' | 'end'> {
    const { rewards, end } = this;
    return { steps: rewards.length, return: rewards.reduce((sum, reward) => sum + reward, 0), ...(end && { end }) };
  }

  /** Draws the last step of an episode that is over, which its frames include where they are drawn. */
  async drawEnd(env: VectorEnv): Promise<void> {
    const { every } = this.job;
    if (typeof this.frames[0] !== 'string' || this.actions.length % every === 0) return;
    const [picture] = (await env.render?.([this.index])) ?? [];
    if (typeof picture === 'string') this.lastPicture = picture;
  }

  /** Ends the episode because the environment failed. */
  fail({ code, message }: OpenEnvError): void {
    this.error = { code, message };
    this.end = { reason: 'environment_error', message: `${code}: ${message}` };
  }

  /**
   * Returns what was played, once it is over.
   *
   * @param env the vector environment that has played it
   */
  played(env?: VectorEnv): Played {
    this.policy?.dispose();
    const { spec, table, error } = this;
    const record: EpisodeRecord = {
      environment: spec.environment,
      options: { ...spec.options },
      seed: this.job.seed,
      actionNames: table.names,
      ...(table.values && { actionValues: table.values }),
      actions: this.actions,
      rewards: this.rewards,
      lives: this.lives,
      states: this.states,
      ...(spec.observations && { observations: this.observations }),
      end: this.end!,
      ...(this.policy && { strategySeconds: this.ownTime }),
    };
    const frames = env && this.keptFrames(env);
    return { id: this.job.id, record, ...(frames && { frames }), ...(error && { error }) };
  }

  /** Ends the episode because the server refused the action: it may demand more than its schema says. */
  private refused(error: OpenEnvError): void {
    if (error.code !== 'VALIDATION_ERROR') return this.fail(error);
    this.end = {
      reason: 'invalid_action',
      message: `the server refused the action ${shown(this.action, 80)}: ${error.message}`,
    };
  }

  private see({ observations, terminated, truncated, frames }: VectorStep, i: number): void {
    this.observation = observations[i];
    const { state } = this.observation;
    for (const name of this.spec.stateVariables) this.states[name].push(state[name]);
    if (this.spec.observations) this.keep(state);
    const frame = frames?.[i];
    if (frame && this.job.packed && typeof frame !== 'string') {
      this.packed ??= new ChangedFrames(frame.length);
      this.packed.add(frame);
    } else if (frame) this.frames.push(frame);
    if (terminated[i]) this.end = { reason: 'terminated' };
    else if (truncated[i]) this.end = { reason: 'truncated' };
  }

  /** Keeps an observation, within the budget: the first and the newest are always kept. */
  private keep(state: Record<string, any>): void {
    const { observations } = this;
    if (this.observed > OBSERVATIONS_BUDGET && observations.length > 1) observations[observations.length - 1] = null;
    else this.observed += stringifyExact(state).length;
    observations.push(state);
  }

  /** Returns the frames that were requested; drawn ones include the last step. */
  private keptFrames(env: VectorEnv): EpisodeFrames | undefined {
    const {
      job: { every },
      frames,
      lastPicture,
    } = this;
    if (every === 0) return undefined;
    const packed = this.packed?.pack();
    if (env.screen) return { ...env.screen, every, frames: frames as Uint8Array[], ...(packed && { packed }) };
    if (typeof frames[0] !== 'string') return undefined;
    return svgFrames([...(frames as string[]), ...(lastPicture === undefined ? [] : [lastPicture])], every);
  }
}
