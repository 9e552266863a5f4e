import type { HumanReturn } from '../reference';
import { GAMES } from './catalog';
import type { ResolvedAtariOptions } from './options';

/** The published scale of human-normalised scores; the same numbers are in Badia et al. 2020 (Agent57). */
const SOURCE = 'Wang et al. 2016';

/** Returns what a human gets in a game; undefined where nobody has published it for these options. */
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
