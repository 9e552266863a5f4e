import { stringifyExact } from '../common/exactJson';
import { OpenEnvError, shown } from '../openenv/errors';
import type { StepResult } from '../openenv/protocol';
import type { EpisodeEnd } from './episode';
import { ABORTED, wholeTimeMessage, type Game, type Played, type Player } from './play';
import { ActionTable, type SchemaActions } from './schemaActions';
import type { GameSession } from './sessions';

/** Characters of JSON that the observations of an episode may take; beyond them, those in the middle are left out. */
const OBSERVATIONS_BUDGET = 8_000_000;
/** Characters of JSON that the different actions of an episode may take: the record holds them all. */
const ACTIONS_BUDGET = 8_000_000;

/** A game that is played over a session of its own. */
export class SessionGame {
  private readonly table: ActionTable;
  private readonly actionIndices: number[] = [];
  private readonly rewards: number[] = [];
  private readonly observations: (Record<string, any> | null)[] = [];
  private observed = 0;
  private ownTime = 0;
  private end: EpisodeEnd | undefined;
  private error: Played['error'];

  constructor(private readonly game: Game, private readonly player: Player | undefined, private readonly actions: SchemaActions) {
    this.table = new ActionTable(actions.field);
  }

  /**
   * Plays to the end. Whatever happens is in the result.
   *
   * @returns why the session cannot be used again, where it cannot
   */
  async play(session: GameSession, aborted: () => boolean): Promise<OpenEnvError | undefined> {
    try {
      this.see(await session.reset({ seed: this.game.seed }));
      while (!this.end) {
        const action = aborted() ? undefined : this.choose();
        if (!action) this.end ??= ABORTED;
        else await this.step(session, action);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof OpenEnvError)) throw error;
      if (aborted()) this.end = ABORTED;
      else this.fail(error);
      return error.code === 'EXECUTION_ERROR' || error.code === 'VALIDATION_ERROR' ? undefined : error;
    }
  }

  /** A game that no server could play. */
  static unplayed(game: Game, actions: SchemaActions, error: OpenEnvError): Played {
    const unplayed = new SessionGame(game, undefined, actions);
    unplayed.fail(error);
    return unplayed.played();
  }

  private fail({ code, message }: OpenEnvError): void {
    this.error = { code, message };
    this.end = { reason: 'environment_error', message: `${code}: ${message}` };
  }


  /** What was played. */
  played(): Played {
    const record = {
      seed: this.game.seed,
      actionNames: this.table.names,
      actionValues: this.table.values,
      actions: this.actionIndices,
      rewards: this.rewards,
      lives: [],
      states: {},
      observations: this.observations,
      end: this.end!,
      strategySeconds: this.ownTime,
    };
    return { id: this.game.id, record, frames: [], ...(this.error && { error: this.error }) };
  }

  /** Asks the strategy for its action; none where the game is over by that. */
  private choose(): Record<string, unknown> | undefined {
    const { outcome, seconds } = this.player!.choose(this.observations.at(-1)!);
    this.ownTime += seconds;
    const answer = this.actions.read(outcome);
    if (!('action' in answer)) this.end = answer;
    else if (this.ownTime > this.game.seconds) this.end = { reason: 'timeout', message: wholeTimeMessage(this.game) };
    else return answer.action;
    return undefined;
  }

  private async step(session: GameSession, action: Record<string, unknown>): Promise<void> {
    let result: StepResult;
    try {
      result = await session.step(action);
    } catch (error) {
      // A server may ask for more than its schema tells.
      if (!(error instanceof OpenEnvError && error.code === 'VALIDATION_ERROR')) throw error;
      this.end = { reason: 'invalid_action', message: `the server refused the action ${shown(action, 80)}: ${error.message}` };
      return;
    }
    this.actionIndices.push(this.table.indexOf(action));
    this.rewards.push(Number(result.reward ?? 0));
    this.see(result);
    if (!this.end && this.table.size > ACTIONS_BUDGET) this.end = { reason: 'memory', message: `its actions take more than ${ACTIONS_BUDGET} characters` };
    if (!this.end && this.rewards.length >= this.game.maxSteps) this.end = { reason: 'truncated', message: `${this.game.maxSteps} steps` };
  }

  private see({ observation, done, metadata }: StepResult): void {
    const seen = whatIsSeen(observation);
    // Two are always kept whole: the first, and the newest.
    if (this.observed > OBSERVATIONS_BUDGET && this.observations.length > 1) this.observations[this.observations.length - 1] = null;
    else this.observed += sizeOf(seen);
    this.observations.push(seen);
    if (done) this.end = { reason: (observation.truncated ?? metadata?.truncated) === true ? 'truncated' : 'terminated' };
  }
}

/** What a strategy sees of an observation: not what OpenEnv's own servers add to it, reward and end of the step, and metadata where there is none. */
export function whatIsSeen(observation: Record<string, any> | undefined): Record<string, any> {
  const { done, reward, metadata, ...seen } = observation ?? {};
  return metadata && Object.keys(metadata).length > 0 ? { ...seen, metadata } : seen;
}

/** About the characters that an observation has as JSON. */
function sizeOf(observation: object): number {
  return stringifyExact(observation).length;
}
