import type { Run } from './store';
import { FIRST_GAMES, TASKS } from './tasks';

/** Variants with a seed of their own; the others run once. */
const SEEDED = ['trained', 'frozen', 'random'];
const ONCE_PER_FIRST_GAME = ['untrained'];
/** GRPO without parents. */
const PLAIN_GAMES = ['breakout', 'pong'];
/** Variants that take settings of training. */
const TRAINING = ['trained', 'frozen', 'plain'];
const SEEDS = [1, 2, 3];

/** Selection of the benchmark's runs. */
export interface Selection {
  games?: string[];
  variants?: string[];
  seeds?: number[];
  /** Settings of training, as JSON. */
  settings?: string;
}

/**
 * Returns the runs of the table: of the first five games all variants, those with
 * training three times; of five more, of the invented environments and of 2048 the
 * trained variant, random edits and the references.
 */
export function plannedRuns({ games, variants, seeds, settings }: Selection = {}): Run[] {
  const runs = TASKS.flatMap(({ name: game, kind }) => {
    const first = FIRST_GAMES.includes(game);
    const seeded = first || kind !== 'atari' ? SEEDED : SEEDED.filter((variant) => variant !== 'frozen');
    const once = [
      'references',
      ...(first || kind !== 'atari' ? ONCE_PER_FIRST_GAME : []),
      ...(PLAIN_GAMES.includes(game) ? ['plain'] : []),
    ];
    const count = first ? SEEDS : SEEDS.slice(0, 1);
    return [
      ...once.map((variant): Run => ({ game, variant, seed: 1 })),
      ...seeded.flatMap((variant) => (seeds ?? count).map((seed): Run => ({ game, variant, seed }))),
    ];
  });
  const selected = runs.filter(
    ({ game, variant }) => (!games || games.includes(game)) && (!variants || variants.includes(variant)),
  );
  return selected.map((run) =>
    settings === undefined || !TRAINING.includes(run.variant) ? run : { ...run, settings },
  );
}
