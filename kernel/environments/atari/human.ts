import type { HumanReturn } from '../reference';
import { GAMES } from './catalog';
import type { ResolvedAtariOptions } from './options';

/** The source of the human scores (dueling networks); the same numbers are in Badia et al. 2020 (Agent57). */
const SOURCE = 'Wang et al. 2016';

/** Returns a human's mean score in a game; undefined when none was published for these options. */
export function humanReturn({
  game,
  mode,
  difficulty,
  terminalOnLifeLoss,
}: Partial<ResolvedAtariOptions>): HumanReturn | undefined {
  const mean = GAMES[game!]?.human;
  const asMeasured = mode === undefined && difficulty === undefined && !terminalOnLifeLoss;
  return mean === undefined || !asMeasured ? undefined : { mean, source: SOURCE };
}
