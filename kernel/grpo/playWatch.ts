import { functionNotes, sumNotes, type RewardNote } from '../rewards/panel/notes';
import { statsOf } from '../rewards/panel/stats';
import type { RecentRollouts } from '../rewards/recent';
import type { Sample } from '../rewards/sample';
import type { RewardError } from '../rewards/scoring';
import { diagnoseCertainty, diagnosePlay } from '../rewards/diagnosis';
import { mean } from '../common/statistics';
import type { ResolvedConfig } from './config';
import type { Scored } from './rollouts/generations';

/** Steps whose returns are averaged: one start may be luck. */
const RECENT = 5;
/** Steps without a problem after which it counts as new again. */
const QUIET = 10;

/** Kinds of problems of rewards that are told as a run goes on: zeros that are normal are none, and silence that pays is told apart from these. */
const DURING_RUN: ReadonlySet<RewardNote['kind']> = new Set([
  'never',
  'constant',
  'rare',
  'dwarfs',
  'length',
  'actions',
]);

/** Diagnoses how the completions of a run play. A problem that stays is reported once. */
export class PlayWatch {
  /** By the kind of a problem, or the function that failed, the newest step that had it. */
  private readonly seen = new Map<string, number>();
  private readonly returns: number[] = [];

  /**
   * Returns the problems of a step that are new, each in a line.
   *
   * @param made the generations that the step is the first to learn from
   * @param entropies the entropy of the step and that of the run's first step
   */
  look(
    step: number,
    made: ReadonlyArray<Pick<Scored, 'table' | 'samples'>>,
    config: Pick<ResolvedConfig, 'numGenerations' | 'capUnplayed'>,
    entropies: { entropy?: number; firstEntropy?: number },
  ): string[] {
    const problems = made.flatMap(({ table, samples }) =>
      diagnosePlay(table, samples, config.numGenerations, config.capUnplayed),
    );
    const samples = made.flatMap((rollouts) => rollouts.samples);
    const played = returnsOf(samples);
    if (played.length > 0) {
      this.returns.push(mean(played));
      if (this.returns.length > RECENT) this.returns.shift();
      problems.push(
        ...diagnoseCertainty({
          entropy: entropies.entropy,
          firstEntropy: entropies.firstEntropy,
          meanReturn: mean(this.returns),
          reference: samples[0].reference,
        }),
      );
    }
    return problems.filter(({ kind }) => this.isNew(kind, step)).map(({ text }) => text);
  }

  /** Returns the sentences about groups without a spread that are new: those of one kind differ in their numbers. */
  ties(step: number, sentences: readonly string[]): string[] {
    return sentences.filter((text) => this.isNew(`tie ${text.replace(/[\d.]+/g, '')}`, step));
  }

  /** Returns a line for each function that failed on some samples of a step, where that is new. */
  failures(
    step: number,
    made: ReadonlyArray<Pick<Scored, 'samples'> & { failures: readonly RewardError[] }>,
  ): string[] {
    return made.flatMap(({ samples, failures }) =>
      failures
        .filter(({ functionName }) => this.isNew(`failed ${functionName}`, step))
        .map(
          ({ failures, message }) =>
            `${failures.length} of ${samples.length} samples are left out, as a reward function failed on them. ${message}`,
        ),
    );
  }

  /** Returns the problems of rewards that the newest rollouts show and that are new, each in a line. */
  rewards(step: number, recent: RecentRollouts): string[] {
    if (recent.groupCount < recent.maxGroups) return [];
    const scored = statsOf(recent.batches());
    const { maxSteps } = recent.batches().at(-1)!;
    const notes = [
      ...[...scored.stats].flatMap(([name, stats]) =>
        functionNotes(stats, scored, { step, maxSteps }).map(({ kind, text }) => ({
          kind,
          name,
          text: `${name} ${text}`,
        })),
      ),
      ...sumNotes(scored).map((note) => ({ ...note, name: '' })),
    ];
    return notes
      .filter(({ kind, name }) => DURING_RUN.has(kind) && this.isNew(`${kind} ${name}`, step))
      .map(({ text }) => text);
  }

  /** Forgets everything: a new run starts. */
  clear(): void {
    this.seen.clear();
    this.returns.length = 0;
  }

  private isNew(kind: string, step: number): boolean {
    const last = this.seen.get(kind) ?? -Infinity;
    this.seen.set(kind, step);
    return step - last > QUIET;
  }
}

function returnsOf(samples: readonly Sample[]): number[] {
  return samples.flatMap(({ episode }) => (episode && !episode.failed ? [episode.return] : []));
}
