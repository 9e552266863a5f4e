import type { Cell } from '@jupyterlab/cells';
import { ENVIRONMENT_MIME, TRAINING_MIME, type EnvironmentData, type TrainingData } from '../../kernel/display/mime';
import { cellKinds, type CellKind } from './kinds';
import { shown } from './outputs';

/** What a cell is, and what its outputs show. */
export interface CellState {
  kinds: CellKind[];
  /** The newest run that it shows. */
  run: TrainingData | null;
  /** Whether that run goes on. */
  runs: boolean;
  /** Whether it shows an environment that people can play. */
  plays: boolean;
  /** Whether its reward functions are turned off. */
  isOff: boolean;
}

/**
 * Returns the state of a cell as the notebook has it.
 *
 * @param isBusy whether the kernel computes: a run whose kernel has ended is saved as running, too
 */
export function cellState(cell: Cell, isBusy: boolean): CellState {
  const source = cell.model.type === 'code' ? cell.model.sharedModel.getSource() : '';
  const kinds = cellKinds(source);
  const run = kinds.includes('grpo') ? (shown<TrainingData>(cell, TRAINING_MIME).at(-1) ?? null) : null;
  return {
    kinds,
    run,
    runs: isBusy && run?.status === 'running',
    plays:
      kinds.includes('openenv') &&
      shown<EnvironmentData>(cell, ENVIRONMENT_MIME).some(({ play }) => play !== undefined),
    isOff: kinds.includes('reward') && isOff(source),
  };
}

/** A directive of a reward cell, with its arguments. */
const REWARD = /(@reward\b)([^\n*]*)/g;
const OFF = /\s+off(?:=\S+)?(?=\s|$)/;

function isOff(source: string): boolean {
  const uses = [...source.matchAll(REWARD)];
  return uses.length > 0 && uses.every(([, , text]) => OFF.test(text) && !/off=false/.test(text));
}

/** Returns the source of a reward cell with its functions turned off, or on where they are off. */
export function switched(source: string): string {
  const on = isOff(source);
  return source.replace(REWARD, (_, name: string, text: string) => {
    const rest = text.replace(OFF, '');
    return name + (on ? rest : ` off${rest}`);
  });
}
