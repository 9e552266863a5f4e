import { versionsHere } from '../../common/versions';
import type { ResolvedArguments } from '../arguments';
import type { TrainerCallback, TrainerEvent } from '../callbacks';
import type { Metrics } from '../metricsBuffer';
import { Tracker } from './tracker';
import type { TrackerName } from './trackers';

/** Of the entries of a log, what trackers have elsewhere. */
const NOT_METRICS = ['step'];

/** Reports a run to the trackers of `reportTo`, with names, steps and settings as transformers' own callbacks do. */
export class Tracking implements TrainerCallback {
  private trackers: Tracker[] = [];
  private begun = '';

  constructor(private readonly trainer: { readonly runId: string; readonly env?: { name: string } | null }) {}

  onTrainBegin = async ({ args, model }: TrainerEvent): Promise<void> => {
    const { runId, env } = this.trainer;
    const names = trackerNames(args.reportTo);
    // A paused run that goes on is the same run.
    if (this.begun === [runId, ...names].join()) return;
    await this.finish();
    this.begun = [runId, ...names].join();
    const name = args.runName ?? `${env?.name ?? 'text'}-${runId.slice(0, 8)}`;
    const config = { model: model.modelName, environment: env?.name ?? null, ...args, versions: versionsHere() };
    this.trackers = names.map((tracker) => new Tracker(tracker, { project: args.project, name, id: runId, config }));
  };

  onLog = ({ metrics }: TrainerEvent): void => this.log(metrics!);

  onEvaluate = ({ metrics }: TrainerEvent): void => this.log(metrics!);

  onTrainEnd = (): Promise<void> => this.finish();

  private log(entry: Metrics): void {
    for (const tracker of this.trackers) tracker.log(trackedMetrics(entry), entry.step);
  }

  private async finish(): Promise<void> {
    const trackers = this.trackers.splice(0);
    await Promise.all(trackers.map((tracker) => tracker.finish()));
  }
}

/** Returns the trackers that the setting names. */
function trackerNames(reportTo: ResolvedArguments['reportTo']): TrackerName[] {
  if (reportTo === 'none') return [];
  return typeof reportTo === 'string' ? [reportTo] : [...new Set(reportTo)];
}

/** Returns an entry of the log under the names that runs of TRL have in trackers: `train/reward`, `eval/reward`, `train/global_step`. */
export function trackedMetrics(entry: Metrics): Record<string, number> {
  const metrics = Object.entries(entry)
    .filter(([name]) => !NOT_METRICS.includes(name))
    .map(([name, value]) => [name.startsWith('eval_') ? `eval/${name.slice(5)}` : `train/${name}`, value] as const);
  return { ...Object.fromEntries(metrics), 'train/global_step': entry.step };
}
