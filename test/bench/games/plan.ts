import type { Run } from './store';
import { FIRST_GAMES, TASKS } from './tasks';

/** Variants with a seed of their own; the others run once. */
const SEEDED = ['trained', 'frozen', 'random'];
const ONCE_PER_FIRST_GAME = ['untrained'];
/** GRPO without parents: how far it comes, and whether it keeps playing where that costs. */
const PLAIN_GAMES = new Map([
  ['breakout', 1],
  ['pong', 3],
  ['boxing', 3],
]);
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
    const once = ['references', ...(first || kind !== 'atari' ? ONCE_PER_FIRST_GAME : [])];
    const count = first ? SEEDS : SEEDS.slice(0, 1);
    const plain = PLAIN_GAMES.has(game) ? (seeds ?? SEEDS.slice(0, PLAIN_GAMES.get(game))) : [];
    return [
      ...once.map((variant): Run => ({ game, variant, seed: 1 })),
      ...plain.map((seed): Run => ({ game, variant: 'plain', seed })),
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
