import type { EpisodeRecord } from '../../../kernel/rollout';
import { Episode } from '../../../kernel/rollout';
import type { Sample } from '../../../kernel/rewards';
import { ProgramDatabase, type DatabaseSettings } from '../../../kernel/grpo/refinement/database';
import type { Evaluation, Program } from '../../../kernel/grpo/refinement/program';
import type { Scored } from '../../../kernel/grpo/refinement/evaluations';

/** Returns an episode of the given actions, with a reward of 1 each. */
export function episode(seed: number, actions: number[], more: Partial<EpisodeRecord> = {}): Episode {
  return new Episode({
    environment: 'fixture',
    options: {},
    seed,
    actionNames: ['LEFT', 'RIGHT', 'FIRE'],
    actions,
    rewards: actions.map(() => 1),
    lives: [],
    states: {},
    end: { reason: 'terminated' },
    ...more,
  });
}

/** Returns a sample of a source and its episode. */
export function sample(code: string | null, played: Episode | null, more: Partial<Sample> = {}): Sample {
  return { prompt: '', completion: '', completionIds: [], code, problems: [], episode: played, step: 1, ...more };
}

/** Returns a sample with its fitness. */
export function scored(
  code: string | null,
  played: Episode | null,
  fitness: number | null,
  more: Partial<Sample> = {},
): Scored {
  return { sample: sample(code, played, more), fitness, rewards: { fixture: fitness } };
}

export function evaluation(fitness: number, more: Partial<Evaluation> = {}): Evaluation {
  return {
    environmentSeed: 1,
    fitness,
    rewards: { fixture: fitness },
    return: fitness,
    steps: 3,
    end: { reason: 'terminated' },
    actionShares: { LEFT: 0.5, RIGHT: 0.5 },
    trace: `trace ${fitness}`,
    ...more,
  };
}

export const databaseSettings: DatabaseSettings = {
  numIslands: 2,
  archiveSize: 8,
  migrationInterval: 2,
  selectionPressure: 3,
};

/** Returns a database with a program for each list of fitness; their sources are their indices. */
export function databaseOf(
  fitness: number[][],
  settings: Partial<DatabaseSettings> = {},
  more: (i: number) => Partial<Program> = () => ({}),
): ProgramDatabase {
  const database = new ProgramDatabase({ ...databaseSettings, ...settings });
  fitness.forEach((values, i) =>
    database.add({
      code: `program ${i}`,
      parent: null,
      generation: 0,
      islands: [i % database.settings.numIslands],
      evaluations: values.map((value) => evaluation(value)),
      cell: `cell ${i}`,
      gain: null,
      ...more(i),
    }),
  );
  return database;
}
