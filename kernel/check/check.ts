import { raceAbort } from '../common/raceAbort';
import { resolveSettings } from '../common/settings';
import { cellContext } from '../display/cellContext';
import { withProgress, type Task } from '../display/progress/progress';
import type { RolloutEnvironment } from '../environments/environment';
import type { Tool } from '../openenv/mcp';
import { checkPlayable } from '../rollout/settings';
import { type notTried, ResultBook } from './book';
import { CHECK_IDS } from './checks';
import { observationSchema, playContract, resourceBounds, rewardWellFormed, startup, stateContract } from './contract';
import { playPolicies, type ReturnTable } from './episodes';
import { FEWEST_STARTS, Judge } from './judge';
import { answerFields, triedActions, triedPolicies, type TriedActions } from './policies';
import { EnvironmentReport } from './report';
import { checkReproducible } from './reproducible';
import { CheckSessions, CheckStopped, isLost } from './session';
import { checkDeclaration, type CheckOptions } from './settings';
import { median } from './statistics';
import { toolDeclarations, toolsOf } from './tools';
import { randomPlayer, type Trace } from './trace';

/** What to do where the time was up. */
const MORE = ': give it more, { seconds: … }.';
/** Steps of an episode that is looked at step by step, at most and at least, and how many such episodes there are. */
const STEPS = { most: 40, least: 3, traces: 10 };
/** Part of the time for the checks that look at sessions; the rest is for episodes. */
const SESSIONS = 0.5;

/**
 * Checks whether an environment is worth training on: seeds, determinism, isolation,
 * schemas, rewards, state, tools, replay; what chance, every constant action and the
 * given policies get, on how many starts anything can be won, whether play makes a
 * difference, and what a step costs. The checks have OpenEnv's IDs.
 *
 * #### Notes
 * - It takes `seconds` at most, 60 by default. What could not be tried is said, with
 *   the reason, and counts neither for the environment nor against it.
 * - Where a check fails, those that would only repeat it are not tried.
 * - Interrupted, it shows what it has. A server that is lost on the way fails the check
 *   that the environment runs; what was seen before stays.
 * - Sessions are opened beside that of the environment, except on a server that has
 *   room for one, and in Joylab's Atari games: there, its episode is over afterwards.
 *
 * @throws TypeError for an option that is not valid
 */
export async function checkEnv(env: RolloutEnvironment, options: CheckOptions = {}): Promise<EnvironmentReport> {
  checkPlayable(env);
  const { signal = cellContext().signal, ...settings } = resolveSettings(checkDeclaration, options);
  const run = new CheckRun(env, signal, {
    seconds: settings.seconds,
    maxSteps: settings.maxSteps,
    target: settings.target,
    policies: Object.fromEntries(
      Object.entries(settings.policies ?? {}).map(([name, policy]) => [name, sourceOf(policy)]),
    ),
  });
  const report = await withProgress(`Checking ${env.name}`, CHECK_IDS.length, (task) => run.report(task));
  // The cell ends with the interrupt, and cannot show it.
  if (signal.aborted && signal === cellContext().signal) cellContext().display(report.card());
  return report;
}

/** Returns a strategy as source code that declares `strategy`. */
function sourceOf(policy: string | ((state: any) => unknown)): string {
  if (typeof policy === 'string') return policy;
  const source = String(policy);
  try {
    // Parsed only.
    new Function(`return (${source}\n)`);
    return `const strategy = ${source};`;
  } catch {
    return `const [strategy] = Object.values({ ${source} });`; // a method: `oracle(state) { … }`
  }
}

interface RunOptions {
  seconds: number;
  maxSteps: number;
  target: number | undefined;
  policies: Readonly<Record<string, string>>;
}

/** One check of an environment. */
class CheckRun {
  private readonly began = performance.now();
  private readonly book = new ResultBook(() => this.task?.update(this.book.count));
  private readonly cut: string[] = [];
  private task: Task | undefined;
  private readonly traces: Trace[] = [];
  private tools: Tool[] | null = null;
  private tried: TriedActions = { actions: [], all: false, text: false };
  private table: ReturnTable | undefined;
  /** Why the rest was not tried. */
  private reason = 'it did not come to that.';

  constructor(
    private readonly env: RolloutEnvironment,
    private readonly signal: AbortSignal,
    private readonly options: RunOptions,
  ) {}

  async report(task: Task): Promise<EnvironmentReport> {
    this.task = task;
    await this.stage(SESSIONS, (stop) => this.checkSessions(stop));
    if (!this.book.failed('runtime.startup')) await this.stage(1, (stop) => this.checkReturns(stop));
    const { env, book, cut, options, table } = this;
    return new EnvironmentReport({
      environment: env.name,
      target: env.environment,
      results: book.all(this.reason),
      seconds: Number(((performance.now() - this.began) / 1000).toFixed(1)),
      budget: options.seconds,
      episodes: table?.episodes ?? 0,
      starts: table?.starts ?? 0,
      cut,
    });
  }

  /**
   * Does a part of the checks, until a share of the time is over or the user
   * interrupts. A lost server is a finding.
   */
  private async stage(share: number, work: (stop: AbortSignal) => Promise<void>): Promise<void> {
    const left = Math.max(0, share * this.options.seconds * 1000 - this.passed());
    const time = AbortSignal.timeout(Math.round(left));
    try {
      // An interrupt leaves the cell too little time to wait for what is under way.
      await raceAbort(work(AbortSignal.any([this.signal, time])), this.signal);
    } catch (error) {
      if (error instanceof CheckStopped)
        this.stopped(`The ${this.options.seconds} seconds were up${MORE}`, 'the time was up.');
      else if (isLost(error)) this.lost(error as Error);
      else if (!this.signal.aborted) {
        this.reason = `the environment failed: ${(error as Error).message.split('\n')[0]}`;
        this.cut.push(`It stopped, because ${this.reason}`);
      }
    }
    if (this.signal.aborted) [this.cut[0], this.reason] = ['It was interrupted.', 'it was interrupted.'];
  }

  /** Notes that the rest was not tried: once, whatever else is not tried after it. */
  private stopped(sentence: string, reason: string): void {
    if (this.cut.length === 0) this.cut.push(sentence);
    this.reason = reason;
  }

  private lost(error: Error): void {
    const [why] = error.message.split('\n');
    this.reason = 'the server was lost before.';
    this.cut.push(`The server was lost: ${why}`);
    this.book.note('runtime.startup', {
      status: 'fail',
      evidence: [`The server was lost after ${this.answers} answers to resets and steps: ${why}`],
      remediation: 'Look at the output of the server; what ended it is there.',
    });
  }

  private async checkSessions(stop: AbortSignal): Promise<void> {
    const { env, book, options } = this;
    const sessions = new CheckSessions(env, stop);
    const slow = (): boolean => this.passed() > 0.15 * options.seconds * 1000;
    try {
      const session = await sessions.contractSession();
      this.tools = await toolsOf(session);
      this.tried = triedActions(env, this.tools);
      const player = randomPlayer(this.tried.actions, sessions.space, {
        seed: 2 ** 31,
        episodeId: 'check-contract',
        steps: STEPS.most,
        stream: 9,
      });
      const contract = await playContract(session, player, slow);
      this.traces.push(contract);
      await book.check('runtime.startup', () => startup(contract, this.tried.actions.length));
      await book.check('runtime.observation_schema', () => observationSchema(contract, env.schemas));
      await book.check('runtime.reward_well_formed', () => rewardWellFormed(contract));
      await book.check('runtime.state_contract', () => stateContract(contract));
      await book.check('runtime.tool_declaration_accuracy', () => toolDeclarations(session, this.tools));
      await session.close();
      if (!book.failed('runtime.startup') && !contract.answers[0].error) {
        const check = {
          sessions,
          actions: this.tried.actions,
          steps: this.stepsOfTrace(),
          book,
          over: () => stop.aborted,
        };
        this.traces.push(...(await checkReproducible(check)));
      }
    } finally {
      // Also where the time was up: what was measured is known.
      if (this.traces.length > 0)
        await book.check('runtime.resource_bounds', () => resourceBounds(this.traces, Boolean(env.schemas)));
      await sessions.close();
    }
  }

  /** Plays the policies and judges what they got. */
  private async checkReturns(stop: AbortSignal): Promise<void> {
    const { env, book, options, tried } = this;
    const first = this.traces[0]?.answers[0]?.result?.observation ?? {};
    const policies = triedPolicies(env, tried, first, options.policies);
    if (!book.failed('runtime.reward_well_formed') && policies.length > 0)
      this.table = await playPolicies(env, policies, {
        maxSteps: this.maxSteps(policies.reduce((sum, { codes }) => sum + codes.length, 0)),
        signal: stop,
      });
    if (this.signal.aborted && !this.table?.starts) return;
    const { table = nothing(options.maxSteps) } = this;
    if (this.table && table.starts < FEWEST_STARTS && table.failures.size === 0)
      this.stopped(`The ${options.seconds} seconds were up after ${table.starts} starts${MORE}`, 'the time was up.');
    const judge = new Judge({
      table,
      text: tried.text,
      target: options.target,
      human: env.human,
      given: Object.keys(options.policies),
    });
    await book.check('statistical.reward_reachability', () => judge.reachability());
    await book.check('semantic.floor_gap', () => judge.floorGap());
    await book.check('semantic.oracle_max', () => judge.oracleMax());
    await book.check('semantic.canary_floor', () => judge.canaryFloor());
    await book.check('semantic.no_solution_leakage', () => this.leakage(judge, first));
    await book.check('statistical.headroom', () => judge.headroom());
    await book.check('statistical.variance_bound', () => judge.varianceBound());
    await book.check('statistical.training_signal', () => judge.trainingSignal());
  }

  private leakage(judge: Judge, first: Record<string, unknown>): ReturnType<typeof notTried> {
    const named = answerFields(first);
    const copied = judge.copied();
    const copies = this.table?.policies.filter(({ kind }) => kind === 'copy').length ?? 0;
    const remediation = 'Keep the solution out of what a policy sees: in the object of the session, or in state().';
    if (copied)
      return {
        status: 'fail',
        evidence: [
          `The policy that ${copied.policy} as its action got the most on ${copied.wins} of ${copied.starts} starts.`,
        ],
        measured: { wins: copied.wins, starts: copied.starts },
        remediation,
      };
    if (named.length > 0)
      return {
        status: 'fail',
        evidence: [`The first observation has ${named.join(', ')}.`],
        measured: { fields: named.length },
        remediation,
      };
    const unnamed = 'No field of the first observation is named like an answer.';
    if (copies > 0 && this.table!.starts < FEWEST_STARTS)
      return { status: 'skip', evidence: [unnamed, 'Not tried: to copy fields into actions; the time was up.'] };
    return {
      status: 'pass',
      evidence: [
        unnamed,
        copies > 0
          ? `${copies} ${copies === 1 ? 'policy that copies a field' : 'policies that copy a field each'} into the action did not win by that.`
          : 'None of its fields can be copied into an action as it is.',
      ],
      measured: { copies },
    };
  }

  /** Returns the steps of an episode that is looked at, so that all of them fit into their part of the time. */
  private stepsOfTrace(): number {
    const time = (SESSIONS * this.options.seconds * 1000 - this.passed()) / STEPS.traces;
    return Math.max(STEPS.least, Math.min(STEPS.most, Math.floor(time / this.stepTime())));
  }

  /** Returns the steps of an episode of the statistics, so that half of the starts fit into the time, two episodes at once. */
  private maxSteps(episodes: number): number {
    const time = this.options.seconds * 1000 - this.passed();
    const steps = Math.floor((2 * time) / (8 * episodes * this.stepTime()));
    return Math.max(1, Math.min(this.options.maxSteps, Math.max(10, steps)));
  }

  /** Returns the milliseconds of a step. */
  private stepTime(): number {
    const steps = this.traces.flatMap(({ answers }) => answers.slice(1).map(({ milliseconds }) => milliseconds));
    return Math.max(0.02, median(steps) || 1);
  }

  private get answers(): number {
    return this.traces.reduce((sum, { answers }) => sum + answers.length, 0);
  }

  private passed(): number {
    return performance.now() - this.began;
  }
}

function nothing(maxSteps: number): ReturnTable {
  return { starts: 0, policies: [], won: [], episodes: 0, maxSteps, ended: 0, failures: new Map() };
}
