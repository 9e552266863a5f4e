import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { cellContext, type MimeBundle } from '../../display/cellContext';
import type { ExperimentData } from '../../display/experimentMime';
import type { TrainingData } from '../../display/mime';
import { caption, episodePicture } from '../../display/pictures/episode';
import type { Picture, ReportData, ShownRollout } from '../../display/report/data';
import { reportBundle, reportPage } from '../../display/report/page';
import type { TrainingOutput } from '../../display/training/training';
import type { RolloutEnvironment } from '../../environments/environment';
import type { ReferenceReturns } from '../../environments/reference';
import type { EpisodeRecord } from '../../episodes/episode';
import { resolveConfig } from '../config';
import { newestRun } from '../experiment/experiment';
import type { Programs } from '../refinement/programs';
import type { Highlight, Highlights } from './highlights';
import { averagedSteps, beforeAndAfter, scaleOf } from './numbers';

/** Bytes of a picture in a report, before base64, at most. */
const PICTURE_BUDGET = 400_000;

/** What a report reads of a run. */
export interface ReportParts {
  training: TrainingData;
  experiment: ExperimentData;
  env: RolloutEnvironment | null;
  reference: ReferenceReturns | null;
  highlights: Highlights;
  programs: Programs;
}

/** A run of which a report can be made: a `GRPOTrainer`. */
export interface ReportedRun {
  readonly globalStep: number;
  reportParts(): ReportParts;
}

/** A report of a run before and after training. Displayed, it is an output of the cell. */
export class Report {
  constructor(private readonly data: ReportData) {}

  /** The report as one HTML file: pictures, charts and styles are in it, and nothing is loaded. */
  get html(): string {
    return reportPage(this.data);
  }

  /** Writes the report as one HTML file. */
  save(path: string): void {
    writeFileSync(path, this.html);
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return reportBundle(this.data);
  }
}

/**
 * Makes a report of a run before and after training: a rollout of its first step and its
 * best one as pictures that move, numbers, charts, reward functions, settings, seeds,
 * versions, and with refinement the way to the best program.
 *
 * @param path an HTML file that is written, too; it loads nothing, and runs no script
 * @param run a trainer; by default that of the newest `@grpo` cell
 * @throws Error for a run that has made no step
 */
export async function report(path?: string | null, run: ReportedRun = newestRun()): Promise<Report> {
  if (run.globalStep === 0) throw new Error('The run has made no step yet: a report is of what training has changed.');
  const made = new Report(await reportData(run.reportParts()));
  if (typeof path === 'string') {
    made.save(path);
    console.log(`Report written to ${resolve(path)}`);
  }
  return made;
}

/** Lets views of a run have its report made. */
export function offerReport(output: TrainingOutput, run: ReportedRun): void {
  output.data.reports = true;
  output.makeReport = async () => (await report(null, run)).html;
}

async function reportData({
  training,
  experiment,
  env,
  reference,
  highlights,
  programs,
}: ReportParts): Promise<ReportData> {
  const { log, events, rewardNames, step, maxSteps, status } = training;
  const { first, plays } = highlights;
  const averaged = averagedSteps(step);
  const best = highlights.bestOf(averaged);
  const numbers = beforeAndAfter(log, rewardNames, plays);
  return {
    title: `${experiment.environment?.name ?? experiment.model.name}: ${step} ${step === 1 ? 'step' : 'steps'} of GRPO`,
    made: new Date().toISOString(),
    training: { log, events, rewardNames, step, maxSteps, status },
    experiment,
    comparison: training.comparison ?? null,
    given: givenSettings(experiment.settings),
    numbers,
    averaged,
    scale: scaleOf(reference),
    before: first && (await shownRollout(first, `Before: the median rollout of step ${first.step}`, env)),
    after:
      best &&
      (await shownRollout(
        best,
        `After: the best rollout of ${averaged === 1 ? 'the last step' : `the last ${averaged} steps`}`,
        env,
      )),
    lineage: programs.size > 0 ? programs.lineage().shown() : null,
  };
}

/** Returns the names of settings that are not at their defaults. */
function givenSettings(settings: Record<string, unknown>): string[] {
  const defaults = resolveConfig() as unknown as Record<string, unknown>;
  return Object.keys(settings).filter((name) => JSON.stringify(settings[name]) !== JSON.stringify(defaults[name]));
}

async function shownRollout(
  { sample, reward, rewards }: Highlight,
  title: string,
  env: RolloutEnvironment | null,
): Promise<ShownRollout> {
  const episode = sample.episode!;
  const picture = await pictureOf(episode, env);
  return { title, caption: caption(episode), picture, reward, rewards, code: sample.code };
}

/** Returns the pictures of an episode, which is played again for them; where that fails, why. */
async function pictureOf(episode: EpisodeRecord, env: RolloutEnvironment | null): Promise<Picture> {
  const none = (text: string): Picture => ({ moving: null, still: null, width: 0, height: 0, text });
  if (!env) return none('It was played in no environment.');
  try {
    // Loaded with the first report.
    const { playAgain } = require('../../rollout/replay') as typeof import('../../rollout/replay');
    const { frames } = await playAgain(episode, env, { signal: cellContext().signal });
    return episodePicture(frames, PICTURE_BUDGET);
  } catch (error) {
    cellContext().signal.throwIfAborted();
    return none(`Its pictures could not be made: ${(error as Error).message}`);
  }
}
