import type { OpenEnvError } from '../openenv/errors';
import type { VectorStep } from '../openenv/vector';
import type { EnvironmentReader } from '../environments/environment';
import type { Outcome } from '../strategy/outcome';
import { chosenAction } from './action';
import type { EpisodeEnd, EpisodeRecord } from './episode';

/** A strategy as it is played. */
export interface Player {
  /** Its answer to a state, and the seconds that it took itself. State that is named numbers has the bytes of the console's memory beside it. Never throws. */
  choose(state: object, ram?: Uint8Array): { outcome: Outcome; seconds: number };
  dispose(): void;
}

/** A game to be played: one strategy from one start. */
export interface Game {
  id: number;
  seed: number;
  /** The episode is truncated after so many steps. */
  maxSteps: number;
  /** Seconds of its own that the strategy has for the whole episode. */
  seconds: number;
  /** A frame is kept after every so many steps; 0: none. */
  every: number;
}

/** What was played: the part of a record that the environment's name and options do not tell. */
export interface Played {
  id: number;
  record: Omit<EpisodeRecord, 'environment' | 'options' | 'actionNames'> & Partial<Pick<EpisodeRecord, 'actionNames'>>;
  /** The first frame, then one after every `every` steps. */
  frames: Uint8Array[];
  /** Why the environment could not play it to its end, where it could not. */
  error?: Pick<OpenEnvError, 'code' | 'message'>;
}

/** Many games that are stepped together: what a `VectorClient` gives. */
export interface Games {
  reset(slots: number[], seeds: number[], options: { frames: number }): Promise<VectorStep>;
  step(slots: number[], actions: number[]): Promise<VectorStep>;
  save(slots: number[]): Promise<Uint8Array[]>;
  restore(slots: number[], episodes: Uint8Array[]): Promise<void>;
}

/** What plays games for a while. */
export interface Engine {
  games: Games;
  giveBack(): Promise<void>;
}

/** Where games come from and where they go. */
export interface Table {
  /** Number of games at a time, at most. */
  slots: number;
  /** Whether a game waits to be played. */
  waiting(): boolean;
  /** Takes the next game, or nothing when there are no more. */
  take(): Game | undefined;
  /** The strategy of a game, started afresh. */
  seat(game: Game): Promise<Player>;
  done(played: Played): void;
  aborted(): boolean;
  /** Counts the open sessions of all lanes of the rollout: by +1, −1 or 0. Gives their number. */
  sessions(change: number): number;
  /** All servers are full, or do not answer, and no lane of the rollout has had a session for so many milliseconds. */
  waits(why: 'full' | 'away', milliseconds: number): void;
  /** An engine of another lane that has nothing to do, with room for so many games; nothing where there is none. */
  borrow?(slots: number): Promise<Engine | undefined>;
}

/** Where games are played: many in one process that are stepped together, or one in each of some sessions. */
export interface Lane {
  /** Plays the games of a table until none is left. What a strategy does is in what was played; rejects where the environment fails as a whole. */
  play(table: Table): Promise<void>;
  close(): Promise<void>;
}

/**
 * Plays games in lockstep: every strategy chooses, one request steps them all.
 * A slot that falls free takes the next game; when none waits, half of the games
 * move to an engine that has nothing to do. How games share slots and engines
 * changes nothing in them.
 */
export async function play(engine: Engine, reader: EnvironmentReader, table: Table): Promise<void> {
  const groups: Promise<void>[] = [];
  const start = (group: Group): void => {
    const playing = group.play(start);
    playing.catch(() => {}); // Looked at below, in its turn.
    groups.push(playing);
  };
  start(new Group(engine, reader, table, Array.from({ length: table.slots }, (_, i) => table.slots - 1 - i), []));
  // A group starts others before it ends.
  for (const playing of groups) await playing;
}

/** Games that are played on one engine. */
class Group {
  /** `free`: slots for the games that wait. */
  constructor(
    private readonly engine: Engine,
    private readonly reader: EnvironmentReader,
    private readonly table: Table,
    private readonly free: number[],
    private running: RunningGame[],
  ) {}

  /** Plays until no game is left. `start` is given the groups that part from this one. */
  async play(start: (group: Group) => void): Promise<void> {
    try {
      for (;;) {
        await this.begin();
        if (this.running.length === 0) break;
        await this.round();
        const parted = await this.part();
        if (parted) start(parted);
      }
    } finally {
      for (const game of this.running) game.player.dispose();
    }
    await this.engine.giveBack();
  }

  /** Takes as many of the games that wait as there is room for. */
  private async begin(): Promise<void> {
    const { table, free, reader, engine } = this;
    const starting: RunningGame[] = [];
    while (free.length > 0 && !table.aborted()) {
      const game = table.take();
      if (!game) break;
      const running = new RunningGame(game, await table.seat(game), free.pop()!, reader);
      starting.push(running);
      this.running.push(running);
    }
    for (const group of byFrames(starting)) {
      const answer = await engine.games.reset(group.map(({ slot }) => slot), group.map(({ game }) => game.seed), { frames: group[0].game.every });
      group.forEach((game, i) => game.begin(answer, i));
    }
  }

  /** A step of every game. */
  private async round(): Promise<void> {
    for (const game of this.running) {
      if (this.table.aborted()) game.end = ABORTED;
      else game.choose();
    }
    this.settle();
    if (this.running.length === 0) return;
    const answer = await this.engine.games.step(this.running.map(({ slot }) => slot), this.running.map(({ action }) => action));
    this.running.forEach((game, i) => game.follow(answer, i));
    this.settle();
  }

  /** Sees off the games that have ended. */
  private settle(): void {
    this.running = this.running.filter((game) => {
      if (!game.end) return true;
      this.free.push(game.slot);
      this.table.done(game.played());
      return false;
    });
  }

  /** Half of the games, where none waits and an engine has nothing to do. */
  private async part(): Promise<Group | undefined> {
    const { table, reader, running } = this;
    const count = running.length >> 1;
    if (count === 0 || table.waiting()) return undefined;
    const engine = await table.borrow?.(count);
    if (!engine) return undefined;
    const moved = running.slice(-count);
    await engine.games.restore(moved.map((_, i) => i), await this.engine.games.save(moved.map(({ slot }) => slot)));
    moved.forEach((game, i) => (game.slot = i));
    running.length -= count;
    return new Group(engine, reader, table, [], moved);
  }
}

/** The end of an episode that the user ended. */
export const ABORTED: EpisodeEnd = { reason: 'aborted', message: 'the run was interrupted' };

/** What a strategy is told that took too long for its whole episode. */
export function wholeTimeMessage({ seconds }: Pick<Game, 'seconds'>): string {
  return `more than ${seconds} s of the strategy's own time (seconds)`;
}

/** Games that want the same frames: a reset has one setting for all its slots. */
function byFrames(games: RunningGame[]): RunningGame[][] {
  const groups = new Map<number, RunningGame[]>();
  for (const game of games) {
    const { every } = game.game;
    groups.set(every, [...(groups.get(every) ?? []), game]);
  }
  return [...groups.values()];
}

/** The state as strategies see it: named numbers, and `ram`, the bytes of the console's memory as an array. */
export function withRam(state: object, ram: Uint8Array): object {
  return { ...state, ram: Array.from(ram) };
}

/** Whether a strategy gets `state.ram`: where its source names it. The others are spared the time that 128 numbers take. */
export function mentionsRam(code: string): boolean {
  return /\bram\b/.test(code);
}

class RunningGame {
  action = 0;
  end: EpisodeEnd | undefined;
  private ownTime = 0;
  private state: Record<string, number> = {};
  private ram: Uint8Array = new Uint8Array();
  private readonly record: Omit<Played['record'], 'end'>;
  private readonly frames: Uint8Array[] = [];

  constructor(readonly game: Game, readonly player: Player, public slot: number, private readonly reader: EnvironmentReader) {
    const states = Object.fromEntries(reader.stateVariables.map(({ name }) => [name, [] as number[]]));
    this.record = { seed: game.seed, actions: [], rewards: [], lives: [], states };
  }

  begin(answer: VectorStep, i: number): void {
    this.see(answer, i);
  }

  /** Asks the strategy for its action. */
  choose(): void {
    const { outcome, seconds } = this.player.choose(this.state, this.ram);
    this.ownTime += seconds;
    const action = chosenAction(outcome, this.reader.actions);
    if (typeof action !== 'number') this.end = action;
    else if (this.ownTime > this.game.seconds) this.end = { reason: 'timeout', message: wholeTimeMessage(this.game) };
    else this.action = action;
  }

  /** Notes what the step brought. */
  follow(answer: VectorStep, i: number): void {
    this.record.actions.push(this.action);
    this.record.rewards.push(answer.rewards[i]);
    this.record.lives.push(answer.lives[i]);
    this.see(answer, i);
    if (answer.terminated[i]) this.end = { reason: 'terminated' };
    else if (answer.truncated[i]) this.end = { reason: 'truncated' };
    else if (this.record.actions.length >= this.game.maxSteps) this.end = { reason: 'truncated', message: `${this.game.maxSteps} steps` };
  }

  played(): Played {
    this.player.dispose();
    return { id: this.game.id, record: { ...this.record, end: this.end!, strategySeconds: this.ownTime }, frames: this.frames };
  }

  private see(answer: VectorStep, i: number): void {
    this.ram = answer.ram[i];
    this.state = this.reader.readState(this.ram);
    for (const name in this.state) this.record.states[name].push(this.state[name]);
    const frame = answer.frames[i];
    if (frame) this.frames.push(frame);
  }
}
