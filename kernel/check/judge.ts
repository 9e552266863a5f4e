import { isConstant, mean, std } from '../common/statistics';
import { shortNumber } from '../display/table';
import type { HumanReturn } from '../environments/reference';
import { notTried, type Finding } from './book';
import { byStart, type PolicyReturns, type ReturnTable } from './episodes';
import { bootstrapMean, shareInterval, type Interval } from './statistics';

/** Starts without which returns say too little, episodes that an evaluation can afford, and the shares of OpenEnv's policy v2. */
export const FEWEST_STARTS = 4;
const MOST_EPISODES = 256;
const TOLERANCE = { oracle: 0.1, variance: 0.2 };
/** Share of starts with a spread below which groups teach nothing. */
const LEAST_SPREAD = 0.1;

/** What the statistics are judged by. */
export interface Evidence {
  table: ReturnTable;
  /** Whether actions are free text. */
  text: boolean;
  /** The most that can be got, if the user or a publication says so. */
  target?: number;
  human?: HumanReturn;
  /** Names of the user's policies. */
  given: readonly string[];
}

/** A policy, its return from each start, and their mean. */
interface Row {
  name: string;
  kind: PolicyReturns['kind'];
  values: number[];
  mean: number;
}

/** The rows of a table, and what follows from them. */
export class Judge {
  private readonly rows: Row[];
  private readonly chance: Row | undefined;

  constructor(private readonly evidence: Evidence) {
    this.rows = evidence.table.policies.flatMap((policy) => {
      const values = byStart(policy);
      return values ? [{ name: policy.name, kind: policy.kind, values, mean: mean(values) }] : [];
    });
    this.chance = this.rows.find(({ kind }) => kind === 'chance');
  }

  /** On which share of starts can anything be won? */
  reachability(): Finding {
    const { table, text } = this.evidence;
    const none = this.tooFew(1);
    if (none) return none;
    const count = Array.from({ length: table.starts }, (_, i) => table.won[i] || this.differsOn(i)).filter(
      Boolean,
    ).length;
    const { low, high } = shareInterval(count, table.starts);
    const measured = {
      starts: table.starts,
      reachable: count,
      low: round(low),
      high: round(high),
      policies: this.rows.length,
    };
    const tried = `${this.rows.length} ${this.rows.length === 1 ? 'policy' : 'policies'} played from ${table.starts} starts (${this.names()})`;
    if (count > 0)
      return {
        status: 'pass',
        evidence: [
          `${tried}. On ${count} of ${table.starts} starts one of them won something, or more than another (95 % interval ${percent(low)} to ${percent(high)}).`,
        ],
        measured,
      };
    if (text && !this.given())
      return notTried(`${tried}, and texts that know nothing won nothing; give a policy that can: ${GIVE}`);
    return {
      status: 'fail',
      evidence: [`${tried}. None ever won anything: every return was ${shortNumber(this.rows[0].mean)}.`],
      measured,
      remediation: 'Give partial credit, shorter tasks first, or starts that are nearer to the goal.',
    };
  }

  /** Is there a gap between the best and the worst play? */
  floorGap(): Finding {
    const none = this.tooFew(FEWEST_STARTS);
    if (none) return none;
    const known = this.known();
    if (known && this.chance) {
      const chance = bootstrapMean(this.chance.values);
      const evidence = [`Chance gets ${interval(chance)}, ${known.who} ${shortNumber(known.value)}.`];
      if (chance.high < known.value)
        return { status: 'pass', evidence, measured: { chance: chance.mean, best: known.value } };
    }
    if (this.evidence.text && !this.given())
      return notTried(
        `only texts that know nothing were written, which show no difference; give a policy that can: ${GIVE}`,
      );
    if (this.rows.length < 2) return notTried('there was only one policy.');
    const { best, worst, difference, starts } = this.spread();
    const evidence = [
      `The best, ${named(best)}, and the worst, ${named(worst)}, were chosen on one half of the starts; on the ${starts} others they differ by ${interval(difference)}.`,
    ];
    const measured = {
      best: best.name,
      worst: worst.name,
      difference: difference.mean,
      low: difference.low,
      high: difference.high,
    };
    if (difference.low > 0) return { status: 'pass', evidence, measured };
    const differing = this.differing();
    if (differing > 0 && !known)
      return notTried(
        `policies differ on ${differing} of ${this.evidence.table.starts} starts, but of the ${this.rows.length} that know nothing none is better than another on average; give a policy that can play: ${GIVE}`,
      );
    return {
      status: 'fail',
      evidence,
      measured,
      remediation: 'Let the reward depend on what is done: as it is, every policy gets the same but for luck.',
    };
  }

  /** Does a known solution get what can be got? */
  oracleMax(): Finding {
    const given = this.given();
    const { failures } = this.evidence.table;
    const failed = this.evidence.given.find((name) => failures.has(name));
    if (failed) return notTried(`the policy ${failed} did not play: ${failures.get(failed)!.split('\n')[0]}`);
    if (!given) return notTried(`no policy was given that solves it: ${GIVE}`);
    const { target } = this.evidence;
    if (target === undefined)
      return notTried(
        `the policy ${given.name} gets ${shortNumber(given.mean)}, but the most is not known: { target: … }`,
      );
    const floor = Math.min(...this.rows.map((row) => row.mean));
    const needed = target - TOLERANCE.oracle * Math.abs(target - Math.min(floor, target));
    const evidence = [
      `The policy ${given.name} gets ${interval(bootstrapMean(given.values))}, the target is ${shortNumber(target)}.`,
    ];
    const measured = { oracle: given.mean, target };
    return given.mean >= needed
      ? { status: 'pass', evidence, measured }
      : {
          status: 'fail',
          evidence,
          measured,
          remediation:
            'A solution has to get the target (90 % of the way at least): mend the reward, the target or the policy.',
        };
  }

  /** Do policies that know nothing stay below the best? */
  canaryFloor(): Finding {
    const none = this.tooFew(FEWEST_STARTS);
    if (none) return none;
    const canaries = this.rows.filter(({ kind }) => kind === 'constant' || kind === 'canary');
    if (canaries.length === 0) return notTried('no action could be played as a constant.');
    const best = highest(canaries);
    const remediation =
      'The reward is to be had without the task: check what it compares, and whether it can be had by anything.';
    const known = this.known();
    if (known) {
      const floor = Math.min(...this.rows.map((row) => row.mean));
      const bound = known.value - TOLERANCE.oracle * (known.value - floor);
      const evidence = [
        `Of ${canaries.length} policies that always do the same, the best, ${named(best)}, gets ${shortNumber(best.mean)}; ${known.who} ${shortNumber(known.value)}.`,
      ];
      const measured = { canary: best.mean, best: known.value };
      return best.mean < bound
        ? { status: 'pass', evidence, measured }
        : { status: 'fail', evidence, measured, remediation };
    }
    if (!this.evidence.text)
      return notTried(
        `the best of ${canaries.length} policies that always do the same, ${named(best)}, gets ${shortNumber(best.mean)}, but the most is not known: { target: … } or ${GIVE}`,
      );
    const paid = best.values.filter((value) => value > 0).length;
    const evidence = [
      `Of ${canaries.length} texts that know nothing, ${named(best)} was rewarded on ${paid} of ${best.values.length} starts.`,
    ];
    const measured = { starts: best.values.length, rewarded: paid };
    return paid * 2 <= best.values.length
      ? { status: 'pass', evidence, measured }
      : { status: 'fail', evidence, measured, remediation };
  }

  /** Does a policy that copies the observation win? Undefined where none does, or none could be tried. */
  copied(): { policy: string; wins: number; starts: number } | undefined {
    const copies = this.rows.filter(({ kind }) => kind === 'copy');
    const others = this.rows.filter(({ kind }) => kind !== 'copy' && kind !== 'given');
    if (copies.length === 0 || others.length === 0 || this.tooFew(FEWEST_STARTS)) return undefined;
    const best = highest(copies);
    const floor = highest(others);
    const wins = best.values.filter(
      (value, start) => value > 0 && this.rows.every(({ values }) => values[start] <= value),
    ).length;
    const starts = best.values.length;
    const clear = bootstrapMean(best.values.map((value, start) => value - floor.values[start])).low > 0;
    return clear && wins >= 0.9 * starts ? { policy: best.name, wins, starts } : undefined;
  }

  /** How far is chance from the best that is known? */
  headroom(): Finding {
    const none = this.tooFew(FEWEST_STARTS);
    if (none) return none;
    const base = this.chance ?? (this.evidence.text ? highestOf(this.rows, 'canary') : undefined);
    if (!base) return notTried('chance could not be played.');
    const is = bootstrapMean(base.values);
    const best = highest(this.rows);
    const known = this.known();
    if (!known) {
      const more = bootstrapMean(best.values.map((value, start) => value - base.values[start]));
      if (!(more.low > 0))
        return notTried(`nothing better than ${base.name} (${interval(is)}) is known: { target: … } or ${GIVE}`);
      return {
        status: 'pass',
        evidence: [
          `${capital(base.name)} gets ${interval(is)}; the best of those tried, ${named(best)}, ${shortNumber(best.mean)}. The most that can be got is not known.`,
        ],
        measured: { chance: is.mean, best: best.mean },
      };
    }
    const floor = Math.min(...this.rows.map((row) => row.mean));
    const room = (known.value - is.mean) / Math.abs(known.value - floor || 1);
    const evidence = [
      `${capital(base.name)} gets ${interval(is)}, the best of those tried, ${named(best)}, ${shortNumber(best.mean)}, ${known.who} ${shortNumber(known.value)}.`,
    ];
    const measured = { chance: is.mean, best: best.mean, known: known.value };
    return room > TOLERANCE.oracle
      ? { status: 'pass', evidence, measured }
      : {
          status: 'fail',
          evidence,
          measured,
          remediation: 'Chance gets nearly all there is: make the task harder, or its episodes longer.',
        };
  }

  /** How many episodes tell two policies apart? */
  varianceBound(): Finding {
    const none = this.tooFew(FEWEST_STARTS);
    if (none) return none;
    if (this.rows.length < 2 && !this.known()) return notTried('there was only one policy.');
    const known = this.known();
    const best = known?.value ?? highest(this.rows).mean;
    const gap = best - Math.min(...this.rows.map((row) => row.mean));
    const spread = Math.max(...this.rows.map(({ values }) => std(values)));
    if (!(gap > 0)) return notTried('all policies got the same.');
    const episodes = Math.max(1, Math.ceil(((1.96 * spread) / (TOLERANCE.variance * gap)) ** 2));
    const evidence = [
      `Between starts, the returns of a policy spread by ${shortNumber(spread)} at most (standard deviation); between policies by ${shortNumber(gap)}.`,
      `A mean is known to a fifth of that after ${episodes.toLocaleString('en')} ${episodes === 1 ? 'episode' : 'episodes'}.`,
    ];
    const measured = { spread_of_starts: spread, spread_of_policies: gap, episodes };
    return episodes <= MOST_EPISODES
      ? { status: 'pass', evidence, measured }
      : {
          status: 'fail',
          evidence,
          measured,
          remediation: `Luck outweighs play: compare policies on the same starts only, or scale rewards by what a start offers.`,
        };
  }

  /** Do episodes from one start get different returns? */
  trainingSignal(): Finding {
    const none = this.tooFew(FEWEST_STARTS);
    if (none) return none;
    const chance = this.evidence.table.policies.find(({ kind }) => kind === 'chance');
    if (!chance || !this.chance)
      return notTried('actions are texts: what a model writes has a spread that other texts do not show.');
    const groups = chance.returns.filter((own) => own.length > 1);
    if (groups.length === 0) return notTried('chance could not be played several times from one start.');
    const spread = groups.filter((own) => !isConstant(own)).length;
    const { low, high } = shareInterval(spread, groups.length);
    const evidence = [
      `${groups[0].length} random episodes from one start got different returns on ${spread} of ${groups.length} starts (95 % interval ${percent(low)} to ${percent(high)}).`,
    ];
    const measured = { groups: groups.length, with_spread: spread, low: round(low), high: round(high) };
    return spread / groups.length >= LEAST_SPREAD
      ? { status: 'pass', evidence, measured }
      : {
          status: 'fail',
          evidence,
          measured,
          remediation:
            'A group whose rewards are equal teaches GRPO nothing: give partial credit, so that a little better is a little more.',
        };
  }

  /** Returns whether policies got different returns from a start. */
  private differsOn(start: number): boolean {
    return !isConstant(this.rows.map(({ values }) => values[start]));
  }

  private differing(): number {
    return Array.from({ length: this.evidence.table.starts }, (_, i) => this.differsOn(i)).filter(Boolean).length;
  }

  /** Returns why there is nothing to judge, if there is not. */
  private tooFew(starts: number): Finding | undefined {
    const { table } = this.evidence;
    if (table.policies.length === 0) return notTried('no action can be made of the schema.');
    if (this.rows.length === 0 && table.failures.size > 0) {
      const [[name, why]] = table.failures;
      return notTried(`no policy could play: ${name}: ${why.split('\n')[0]}`);
    }
    if (this.rows.length === 0 || table.starts < starts)
      return notTried(`the time was up after ${table.starts} of at least ${starts} starts.`);
    return undefined;
  }

  /** Chooses the best and the worst policy on every other start, and compares them on the rest. */
  private spread(): { best: Row; worst: Row; difference: Interval; starts: number } {
    const half = (row: Row, rest: number): number => mean(row.values.filter((_, i) => i % 2 === rest));
    const sorted = [...this.rows].sort((a, b) => half(b, 0) - half(a, 0));
    const [best, worst] = [sorted[0], sorted.at(-1)!];
    const differences = best.values.map((value, i) => value - worst.values[i]).filter((_, i) => i % 2 === 1);
    return { best, worst, difference: bootstrapMean(differences), starts: differences.length };
  }

  /** Returns the best policy of the user's. */
  private given(): Row | undefined {
    return highestOf(this.rows, 'given');
  }

  /** Returns the best return that is known: the target, a policy of the user's, or a human's. */
  private known(): { who: string; value: number } | undefined {
    const { target, human } = this.evidence;
    if (target !== undefined) return { who: 'the target is', value: target };
    const given = this.given();
    if (given) return { who: `the policy ${given.name}`, value: given.mean };
    return human && { who: `a human (${human.source})`, value: human.mean };
  }

  private names(): string {
    const names = this.rows.map(({ name }) => name);
    const shown = names.length > 5 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
    return shown.join(', ');
  }
}

const GIVE = '{ policies: { oracle: (state) => … } }';

function highest(rows: readonly Row[]): Row {
  return rows.reduce((best, row) => (row.mean > best.mean ? row : best));
}

function highestOf(rows: readonly Row[], kind: Row['kind']): Row | undefined {
  const own = rows.filter((row) => row.kind === kind);
  return own.length > 0 ? highest(own) : undefined;
}

/** Returns a policy's name, cut: an action may be long. */
function named({ name }: Row): string {
  return name.length > 60 ? `${name.slice(0, 59)}…` : name;
}

function interval({ mean, low, high }: Interval): string {
  return low === high
    ? shortNumber(mean)
    : `${shortNumber(mean)} (95 % interval ${shortNumber(low)} to ${shortNumber(high)})`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
