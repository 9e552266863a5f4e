import { interval, intervalText, mean, pairedInterval, type Interval } from '../common/interval';
import { CORNER } from './moves2048';
import type { Line, RunResult } from './store';
import { FIRST_GAMES, type Task } from './tasks';
import { LOWEST_VALID } from './variants/trained';

/** Whether a goal is met. */
export interface Verdict {
  text: string;
  /** Whether it is met; `undefined` where results are missing. */
  met: boolean | undefined;
}

/** Results of one game. */
export class GameResults {
  readonly name: string;

  constructor(
    readonly task: Task,
    private readonly results: readonly RunResult[],
  ) {
    this.name = task.name;
  }

  /** Returns the returns of the lines of a name at the first limit of steps, by seed. */
  returns(name: string): Map<number, number[]> {
    const [steps] = this.task.reportedSteps;
    const lines = this.results.flatMap(({ seed, lines }) =>
      lines.filter((line) => line.name === name).map((line): [number, Line] => [seed, line]),
    );
    return new Map(lines.map(([seed, line]) => [seed, line.returns[steps]]));
  }

  /** Returns the mean returns of the lines of a name, by seed. */
  seeds(name: string): Map<number, number> {
    return new Map([...this.returns(name)].map(([seed, values]) => [seed, mean(values)]));
  }

  /** Returns the mean over the seeds; `undefined` where there is none. */
  mean(name: string): number | undefined {
    const seeds = [...this.seeds(name).values()];
    return seeds.length > 0 ? mean(seeds) : undefined;
  }

  /** Returns a figure of the runs of a variant, by seed. */
  figures(variant: string, figure: string): Map<number, number> {
    return new Map(
      this.results
        .filter((result) => result.variant === variant && result.figures?.[figure] !== undefined)
        .map(({ seed, figures }) => [seed, figures![figure]]),
    );
  }

  /** Returns the names of the lines of chance and constant actions. */
  withoutSkill(): string[] {
    const names = new Set(this.results.flatMap(({ lines }) => lines.map(({ name }) => name)));
    return [...names].filter((name) => name === 'random actions' || name.startsWith('always '));
  }

  /** Returns the constant action with the highest mean. */
  bestConstant(): { name: string; mean: number } | undefined {
    const constants = this.withoutSkill().filter((name) => name.startsWith('always '));
    return constants.map((name) => ({ name, mean: this.mean(name)! })).sort((a, b) => b.mean - a.mean)[0];
  }

  /** Returns a return normalised to 0 for chance and 1 for random edits. */
  normalised(value: number): number | undefined {
    const [chance, rival] = [this.mean('random actions'), this.mean('random edits')];
    return chance === undefined || rival === undefined || rival <= chance
      ? undefined
      : (value - chance) / (rival - chance);
  }
}

/** Checks that no seed of the trained variant is below the best constant, the best of untrained samples, or chance. */
export function floors(games: readonly GameResults[]): Verdict[] {
  return games.flatMap((game) => {
    const seeds = [...game.seeds('trained').values()];
    const constant = game.bestConstant();
    const floorOf: Array<[string, number | undefined]> = [
      [`the best constant (${constant?.name})`, constant?.mean],
      ['the best of untrained samples', game.mean('best of untrained')],
      ['random actions', game.mean('random actions')],
    ];
    return floorOf
      .filter(([, floor]) => floor !== undefined)
      .map(
        ([name, floor]): Verdict => ({
          text: `${game.name}: every seed reaches ${name}, ${floor!.toFixed(1)}`,
          met: seeds.length === 0 ? undefined : seeds.every((value) => value >= floor!),
        }),
      );
  });
}

/** Checks that training is above random edits in `wanted` games, and nowhere more than a tenth below. */
export function againstRandomEdits(games: readonly GameResults[], wanted: number): Verdict[] {
  const shares = games.map((game) => ({
    game,
    share: game.mean('trained') === undefined ? undefined : game.normalised(game.mean('trained')!),
  }));
  const known = shares.flatMap(({ share }) => share ?? []);
  const above = known.filter((share) => share > 1).length;
  return [
    {
      text: `above random edits in ${above} of ${known.length} games; wanted: ${wanted} of ${games.length}`,
      met: known.length === games.length ? above >= wanted : undefined,
    },
    ...shares.map(
      ({ game, share }): Verdict => ({
        text: `${game.name}: ${share === undefined ? '–' : `${(100 * share).toFixed(0)} %`} of the way from chance to random edits; wanted: 90 %`,
        met: share === undefined ? undefined : share >= 0.9,
      }),
    ),
  ];
}

/**
 * Checks that training adds to the search: to the share of edits that improve their
 * parent, and to the score, paired by game and seed.
 */
export function worthOfTraining(games: readonly GameResults[]): Verdict[] {
  const improved = pairs(
    games,
    (game) => game.figures('trained', 'refinement/improved'),
    (game) => game.figures('frozen', 'refinement/improved'),
  );
  const scores = pairs(
    games,
    (game) => normalisedSeeds(game, 'trained'),
    (game) => normalisedSeeds(game, 'frozen'),
  );
  return [
    verdictOf('share of edits that improve their parent', improved),
    verdictOf('score, in parts of the way from chance to random edits', scores),
  ];
}

function verdictOf(what: string, gain: { pairs: number; gain: Interval } | undefined): Verdict {
  const text = gain ? `${gain.gain.mean.toFixed(3)} ± ${gain.gain.half.toFixed(3)}, ${gain.pairs} pairs` : '–';
  return {
    text: `training above learningRate: 0 in the ${what}: ${text}`,
    met: gain && gain.gain.mean > gain.gain.half,
  };
}

function normalisedSeeds(game: GameResults, name: string): Map<number, number> {
  return new Map(
    [...game.seeds(name)].flatMap(([seed, value]): Array<[number, number]> => {
      const share = game.normalised(value);
      return share === undefined ? [] : [[seed, share]];
    }),
  );
}

/** Returns the mean difference of two values over all games and seeds that have both. */
function pairs(
  games: readonly GameResults[],
  first: (game: GameResults) => Map<number, number>,
  second: (game: GameResults) => Map<number, number>,
): { pairs: number; gain: Interval } | undefined {
  const both = games.flatMap((game) => {
    const others = second(game);
    return [...first(game)].flatMap(([seed, value]) => (others.has(seed) ? [[value, others.get(seed)!]] : []));
  });
  return both.length < 2
    ? undefined
    : {
        pairs: both.length,
        gain: pairedInterval(
          both.map(([value]) => value),
          both.map(([, other]) => other),
        ),
      };
}

/**
 * Checks that strategies sampled from the trained model, without the programs that it
 * found, are better than untrained ones in `wanted` games.
 */
export function policyAlone(games: readonly GameResults[], wanted: number): Verdict {
  const compared = games.map((game) => ({
    name: game.name,
    trained: game.mean('policy'),
    untrained: game.mean('untrained policy'),
  }));
  const known = compared.filter(({ trained, untrained }) => trained !== undefined && untrained !== undefined);
  const better = known.filter(({ trained, untrained }) => trained! > untrained!);
  const told = known
    .map(({ name, trained, untrained }) => `${name} ${untrained!.toFixed(1)} → ${trained!.toFixed(1)}`)
    .join(', ');
  return {
    text: `the policy alone is better than untrained in ${better.length} of ${known.length} games; wanted: ${wanted} of ${games.length} (${told || '–'})`,
    met: known.length === games.length ? better.length >= wanted : undefined,
  };
}

/** Checks that a model without parents keeps writing programs that play. */
export function keepsPlaying(game: GameResults): Verdict {
  const seeds = [...game.figures('plain', LOWEST_VALID).values()];
  return {
    text: `${game.name}: GRPO without parents, ${LOWEST_VALID}: ${seeds.map((share) => share.toFixed(2)).join(' ') || '–'}; wanted: 0.9`,
    met: seeds.length === 0 ? undefined : seeds.every((share) => share >= 0.9),
  };
}

/** Checks that the learned program is significantly above chance and every constant, paired by start, at 95 %. */
export function aboveWithoutSkill(game: GameResults): Verdict {
  const learned = [...game.returns('trained').values()][0];
  const others = game
    .withoutSkill()
    .map((name) => ({ name, gain: learned && pairedInterval(learned, [...game.returns(name).values()][0]) }));
  const least = others
    .filter(({ gain }) => gain)
    .sort((a, b) => a.gain!.mean - a.gain!.half - (b.gain!.mean - b.gain!.half))[0];
  const text = least ? `least above ${least.name}, by ${intervalText(least.gain!)}` : '–';
  return {
    text: `${game.name}: significantly above chance and every constant: ${text}`,
    met: least && least.gain!.mean > least.gain!.half,
  };
}

/** Checks for at least 1.3 times the score of the corner strategy. */
export function above2048Corner(game: GameResults): Verdict {
  const corner = game.mean(CORNER);
  const learned = [...game.returns('trained').values()][0];
  return {
    text: `2048: ${learned ? intervalText(interval(learned)) : '–'}; wanted: ${corner === undefined ? '–' : (1.3 * corner).toFixed(0)}, 1.3 times the corner strategy`,
    met: learned === undefined || corner === undefined ? undefined : mean(learned) >= 1.3 * corner,
  };
}

/**
 * Number of the ten games in which training is to be above random edits, and of the
 * first five in which the policy alone is to be better.
 */
const WANTED = 7;
const WANTED_ALONE = 4;
/** Games in which playing badly costs. */
const COSTLY = ['pong', 'boxing'];

/** Returns all verdicts on the selected games. */
export function verdicts(games: readonly GameResults[]): Verdict[] {
  const atari = games.filter(({ task }) => task.kind === 'atari');
  const first = atari.filter(({ name }) => FIRST_GAMES.includes(name));
  return [
    ...(atari.length > 0
      ? [
          ...floors(atari),
          ...againstRandomEdits(atari, WANTED),
          ...worthOfTraining(first),
          policyAlone(first, WANTED_ALONE),
          ...atari.filter(({ name }) => COSTLY.includes(name)).map(keepsPlaying),
        ]
      : []),
    ...games.filter(({ task }) => task.kind === 'invented').map(aboveWithoutSkill),
    ...games.filter(({ task }) => task.kind === 'board').map(above2048Corner),
  ];
}
