import type { RunSummary } from '../../kernel/display/rollouts';
import { formatNumber } from '../../kernel/display/table';
import { dateOf } from '../rollouts/pages/runs';
import { element } from '../widgets/element';

/** A run that a file of rollouts has. */
export interface KeptRun extends RunSummary {
  database: string;
}

/** Runs that are listed, at most; the view of rollouts has all. */
const MOST = 20;

/** Returns the runs that files of rollouts have kept, under a heading of their own. */
export function earlierRuns(runs: readonly KeptRun[], open: (run: KeptRun) => void): HTMLElement[] {
  if (runs.length === 0) return [];
  const items = runs.slice(0, MOST).map((run) => {
    const { steps, reward, environment, database } = run;
    const words = [
      environment,
      `${steps} ${steps === 1 ? 'step' : 'steps'}`,
      ...(reward === null ? [] : [`reward ${formatNumber(reward)}`]),
    ];
    const node = element('button', 'joylab-Panel-run', [
      element('span', '', dateOf(run)),
      element('span', 'joylab-Panel-faint', words.filter(Boolean).join(' · ').replace('-', '−')),
    ]);
    node.type = 'button';
    node.title = `Show its rollouts, from ${database}`;
    node.dataset.control = `run ${run.run}`;
    node.addEventListener('click', () => open(run));
    return element('li', 'joylab-Panel-item', [node]);
  });
  return [element('h4', 'joylab-Panel-heading', 'Earlier runs'), element('ul', 'joylab-Panel-list', items)];
}
