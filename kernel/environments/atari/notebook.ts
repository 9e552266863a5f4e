import { withoutOutputs, type Notebook } from '../../common/notebook';

/** The game that `notebooks/atari.ipynb` is written for. */
const PATTERN = { name: 'breakout', title: 'Breakout' };

/**
 * Returns the Atari notebook for a game, without outputs. The command line and
 * JupyterLab's launcher (by extension/build.mjs) make theirs with it.
 *
 * @param atari `notebooks/atari.ipynb`
 */
export function gameNotebook(atari: Notebook, { name, title }: { name: string; title: string }): Notebook {
  const { cells, ...rest } = withoutOutputs(atari);
  const changed = cells.map((cell) => ({
    ...cell,
    source: cell.source.map((line) =>
      line.replace(`game: '${PATTERN.name}'`, `game: '${name}'`).replaceAll(PATTERN.title, title),
    ),
  }));
  return { ...rest, cells: changed };
}
