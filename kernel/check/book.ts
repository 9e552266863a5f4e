import { CHECK_IDS, CHECKS, type CheckId } from './checks';
import type { CheckResult } from './report';

/** What a check found: `status`, and the sentences that say it. */
export interface Finding {
  status: CheckResult['status'];
  evidence: string[];
  measured?: CheckResult['measured'];
  remediation?: string;
}

/** Returns a check that was not tried, and why. */
export function notTried(reason: string): Finding {
  return { status: 'skip', evidence: [`Not tried: ${reason}`] };
}

/** The results so far. */
export class ResultBook {
  private readonly results = new Map<CheckId, CheckResult>();
  /** For each check that says nothing: the one that has failed before. */
  private readonly blocked = new Map<CheckId, CheckId>();

  /** @param changed called after each result */
  constructor(private readonly changed: () => void) {}

  /** Number of checks that have a result. */
  get count(): number {
    return this.results.size;
  }

  failed(id: CheckId): boolean {
    return this.results.get(id)?.status === 'fail';
  }

  /** Notes a result that takes the place of an earlier one. */
  note(id: CheckId, { status, evidence, measured = {}, remediation }: Finding, milliseconds = 0): void {
    this.results.set(id, {
      check_id: id,
      status,
      measured,
      evidence,
      remediation: status === 'fail' ? (remediation ?? null) : null,
      duration_s: Number((milliseconds / 1000).toFixed(3)),
    });
    this.changed();
  }

  /** Does a check and notes its result; notes that it was not tried where one that it needs has failed. */
  async check(id: CheckId, work: () => Finding | Promise<Finding>): Promise<void> {
    const missing = this.missing(id);
    if (missing) {
      this.blocked.set(id, missing);
      return this.note(id, notTried(`it says nothing before "${CHECKS[missing].title}" is met.`));
    }
    const started = performance.now();
    const finding = await work();
    this.note(id, finding, performance.now() - started);
  }

  /** Returns the failed check without which another says nothing, if there is one. */
  private missing(id: CheckId): CheckId | undefined {
    for (const need of CHECKS[id].needs ?? []) {
      const missing = this.failed(need) ? need : this.blocked.get(need);
      if (missing) return missing;
    }
    return undefined;
  }

  /** Returns all results in the order of the report; those that are missing with the reason. */
  all(reason: string): CheckResult[] {
    return CHECK_IDS.map(
      (id) =>
        this.results.get(id) ?? {
          check_id: id,
          status: 'skip',
          measured: {},
          evidence: [`Not tried: ${reason}`],
          remediation: null,
          duration_s: 0,
        },
    );
  }
}
