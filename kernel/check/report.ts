import type { MimeBundle } from '../display/cellContext';
import { reportHtml, reportText } from './card';
import { CHECKS, type CheckId } from './checks';

/** The result of a check, with the fields of OpenEnv's `CheckResult`. */
export interface CheckResult {
  /** OpenEnv's ID of the check: "runtime.seed_control". */
  check_id: CheckId;
  /** `skip`: not tried, and `evidence` says why. */
  status: 'pass' | 'fail' | 'skip';
  /** What was measured, by name. */
  measured: Record<string, number | string | boolean | null>;
  /** What was tried and seen, in sentences. */
  evidence: string[];
  /** What mends it, where it fails. */
  remediation: string | null;
  duration_s: number;
}

/** OpenEnv's words: `warn` where the worst that fails is no reason against training. */
export type Verdict = 'pass' | 'warn' | 'fail';

/** What {@link EnvironmentReport} is made of: plain data. */
export interface ReportData {
  /** Name of the environment. */
  environment: string;
  /** Its kind, or the address of its server. */
  target: string;
  results: CheckResult[];
  /** Seconds that the check took, and those that it had. */
  seconds: number;
  budget: number;
  /** Episodes that were played for statistics, and the starts that they had. */
  episodes: number;
  starts: number;
  /** What was cut short, and why, in sentences. */
  cut: string[];
}

/** The report of {@link checkEnv}. It is displayed as a card; as JSON its results are OpenEnv's. */
export class EnvironmentReport implements ReportData {
  readonly environment: string;
  readonly target: string;
  readonly results: CheckResult[];
  readonly seconds: number;
  readonly budget: number;
  readonly episodes: number;
  readonly starts: number;
  readonly cut: string[];

  constructor(data: ReportData) {
    this.environment = data.environment;
    this.target = data.target;
    this.results = data.results;
    this.seconds = data.seconds;
    this.budget = data.budget;
    this.episodes = data.episodes;
    this.starts = data.starts;
    this.cut = data.cut;
  }

  /**
   * Whether it is worth training on: `fail` where a check fails that OpenEnv's policy
   * calls a failure; `pass` only where it was seen that something can be won, and that
   * play makes a difference.
   */
  get verdict(): Verdict {
    const failed = this.results.filter(({ status }) => status === 'fail');
    if (failed.some(({ check_id }) => CHECKS[check_id].severity === 'fail')) return 'fail';
    return failed.length > 0 || this.open || this.cut.length > 0 ? 'warn' : 'pass';
  }

  /** Whether it was not tried if anything can be learned. */
  private get open(): boolean {
    const seen: CheckId[] = ['statistical.reward_reachability', 'semantic.floor_gap'];
    return seen.some((id) => this.result(id).status === 'skip');
  }

  /** The verdict in a sentence. */
  get summary(): string {
    const count = (status: CheckResult['status']): number => this.results.filter((it) => it.status === status).length;
    const failed = this.results.filter(({ status }) => status === 'fail');
    const grave = failed.filter(({ check_id }) => CHECKS[check_id].severity === 'fail');
    const titles = (results: CheckResult[]): string => results.map(({ check_id }) => CHECKS[check_id].title).join(', ');
    const tried = `${count('pass')} of ${this.results.length} checks passed, ${count('skip')} could not be tried`;
    if (grave.length > 0) return `Not worth training on yet. Not met: ${titles(grave)}. ${tried}.`;
    if (failed.length > 0) return `Can be trained on, with a look at: ${titles(failed)}. ${tried}.`;
    if (this.cut.length > 0) return `Nothing speaks against it so far, but the check was cut short. ${tried}.`;
    if (this.open) return `Nothing speaks against it, but whether it teaches anything could not be tried. ${tried}.`;
    return `Worth training on. ${tried}.`;
  }

  /** Returns the result of a check by its ID. */
  result(id: CheckId): CheckResult {
    return this.results.find(({ check_id }) => check_id === id)!;
  }

  /** Returns the report as JSON: `results` are OpenEnv's, with the severities of its policy v2. */
  toJSON(): ReportData & { verdict: Verdict; summary: string; policy_version: string } {
    const { environment, target, verdict, summary, results, seconds, budget, episodes, starts, cut } = this;
    return {
      environment,
      target,
      verdict,
      summary,
      policy_version: 'v2',
      seconds,
      budget,
      episodes,
      starts,
      cut,
      results,
    };
  }

  /** Returns the report as lines of text. */
  toString(): string {
    return reportText(this);
  }

  /** Returns the MIME bundle of the card. */
  card(): MimeBundle {
    return { 'text/html': reportHtml(this), 'text/plain': reportText(this) };
  }

  [Symbol.for('Jupyter.display')](): MimeBundle {
    return this.card();
  }
}
