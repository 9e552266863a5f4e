import { mean, pairedInterval, type Interval } from '../common/interval';
import type { RunResult } from './store';
import type { Task } from './tasks';

/** Results of one game, by what they are asked for. */
export class GameResults {
  constructor(readonly task: Task, private readonly results: readonly RunResult[]) {}

  private get steps(): number {
    return this.task.reportedSteps[0];
  }

  /** Mean return of a variant's line, seed by seed. */
  seeds(name: string): Map<number, number> {
    const lines = this.results.flatMap(({ seed, lines }) => lines.filter((line) => line.name === name).map((line): [number, number] => [seed, mean(line.returns[this.steps])]));
    return new Map(lines);
  }

  /** Mean over the seeds; `undefined` where there is none. */
  mean(name: string): number | undefined {
    const seeds = [...this.seeds(name).values()];
    return seeds.length > 0 ? mean(seeds) : undefined;
  }

  /** The constant action that gets most. */
  bestConstant(): { name: string; mean: number } | undefined {
    const names = new Set(this.results.flatMap(({ lines }) => lines.map(({ name }) => name)).filter((name) => name.startsWith('always ')));
    return [...names].map((name) => ({ name, mean: this.mean(name)! })).sort((a, b) => b.mean - a.mean)[0];
  }
}

/** Whether something that must hold does. */
export interface Verdict {
  text: string;
  /** `undefined`: results are missing. */
  met: boolean | undefined;
}

/** No seed of what is trained is below the best constant, the best of untrained samples, or chance. */
export function floors(games: readonly GameResults[]): Verdict[] {
  return games.flatMap((game) => {
    const seeds = [...game.seeds('trained').values()];
    const constant = game.bestConstant();
    const floorOf: Array<[string, number | undefined]> = [
      [`the best constant (${constant?.name})`, constant?.mean],
      ['the best of untrained samples', game.mean('best of untrained')],
      ['random actions', game.mean('random actions')],
    ];
    return floorOf.filter(([, floor]) => floor !== undefined).map(([name, floor]): Verdict => ({
      text: `${game.task.name}: every seed reaches ${name}, ${floor!.toFixed(1)}`,
      met: seeds.length === 0 ? undefined : seeds.every((value) => value >= floor!),
    }));
  });
}

/** How far something is above something else, as a part of what lies between chance and random edits. */
export function normalised(game: GameResults, value: number): number | undefined {
  const [chance, rival] = [game.mean('random actions'), game.mean('random edits')];
  return chance === undefined || rival === undefined || rival <= chance ? undefined : (value - chance) / (rival - chance);
}

/** Above random edits in so many games, and nowhere more than a tenth below. */
export function againstRandomEdits(games: readonly GameResults[], wanted: number): Verdict[] {
  const shares = games.map((game) => ({ game, share: game.mean('trained') === undefined ? undefined : normalised(game, game.mean('trained')!) }));
  const known = shares.flatMap(({ share }) => share ?? []);
  const complete = known.length === games.length;
  const above = known.filter((share) => share > 1).length;
  return [
    { text: `above random edits in ${above} of ${known.length} games; wanted: ${wanted} of ${games.length}`, met: complete ? above >= wanted : undefined },
    ...shares.map(({ game, share }): Verdict => ({
      text: `${game.task.name}: ${share === undefined ? '–' : `${(100 * share).toFixed(0)} %`} of the way from chance to random edits; wanted: 90 %`,
      met: share === undefined ? undefined : share >= 0.9,
    })),
  ];
}

/** The gain of one line over another, pair by pair of game and seed, in parts of what lies between chance and random edits. */
export function pairedGain(games: readonly GameResults[], name: string, over: string): { pairs: number; gain: Interval } | undefined {
  const pairs = games.flatMap((game) => {
    const others = game.seeds(over);
    return [...game.seeds(name)].flatMap(([seed, value]) => {
      const [first, second] = [value, others.get(seed)].map((it) => (it === undefined ? undefined : normalised(game, it)));
      return first === undefined || second === undefined ? [] : [[first, second]];
    });
  });
  if (pairs.length < 2) return undefined;
  return { pairs: pairs.length, gain: pairedInterval(pairs.map(([first]) => first), pairs.map(([, second]) => second)) };
}
