import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveSettings, type Resolved } from '../common/settings';
import { packageRoot } from '../common/packagePaths';
import { display } from '../display';
import { cellContext } from '../display/cellContext';
import { strategyPrompt, type RolloutEnvironment } from '../environments';
import type { ReferenceReturns } from '../environments/reference';
import { OpenEnvError } from '../openenv/errors';
import { referenceReturns } from '../rollout/reference';
import { checkPlayable } from '../rollout/settings';
import { entryKey, isComplete, returnsOf, type Attempt, type BenchmarkEntry, type SampleSettings } from './entry';
import { LeaderboardFile } from './leaderboardFile';
import { newAttempt, playAttempts, playFunction, startsOf, validationStarts, type Playing } from './playing';
import { digestOf, namedPolicies, type NamedPolicy } from './policies';
import { BenchmarkResult } from './result';
import { benchmarkDeclaration, type BenchmarkOptions } from './settings';
import { writeByChat, writeByModel, type Writing } from './writing';

type Settings = Resolved<(typeof benchmarkDeclaration)['settings']>;

/** A benchmark that runs: policy by policy in each environment. */
export class BenchmarkRun {
  private readonly settings: Settings;
  private readonly policies: NamedPolicy[];
  private readonly environments: Array<[string, RolloutEnvironment]>;
  private readonly file: LeaderboardFile | null;
  private readonly signal: AbortSignal;
  private readonly seeds: number[];
  private readonly version = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version as string;
  private readonly entries: BenchmarkEntry[] = [];
  private readonly notes: string[] = [];
  /** Why policies behind an address are asked no more. */
  private readonly gone = new Map<string, string>();
  private fromFile = 0;
  private unwritten: string | null = null;
  private shown: { update(value: unknown): unknown } | null = null;

  /** @throws TypeError where an option is wrong; Error where the file is no leaderboard */
  constructor(options: BenchmarkOptions) {
    this.settings = resolveSettings(benchmarkDeclaration, options);
    this.policies = namedPolicies(this.settings.policies);
    this.environments = namedEnvironments(this.settings.environments);
    this.seeds = startsOf(this.settings.seeds);
    this.signal = this.settings.signal ?? cellContext().signal;
    this.file = this.settings.file === null ? null : new LeaderboardFile(this.settings.file);
    this.file?.read();
  }

  /** @throws the signal's reason when aborted: what was played until then is shown, and in the file */
  async run(): Promise<BenchmarkResult> {
    try {
      for (const [name, env] of this.environments) await this.runEnvironment(name, env);
    } catch (error) {
      if (this.signal.aborted) this.show([`Interrupted. ${this.goesOn()}`]);
      throw error;
    }
    const result = this.show(this.closingNotes());
    result.markShown();
    return result;
  }

  private async runEnvironment(name: string, env: RolloutEnvironment): Promise<void> {
    const { maxSteps } = this.settings;
    let reference: ReferenceReturns | null;
    try {
      reference = await referenceReturns(env, { maxSteps, signal: this.signal });
    } catch (error) {
      if (this.signal.aborted || !(error instanceof OpenEnvError)) throw error;
      this.notes.push(`${name} is left out: it failed. ${firstLine(error)}`);
      return;
    }
    for (const policy of this.policies) {
      await this.runPolicy(policy, this.newEntry(policy, name, env, reference), env);
      this.show([]);
    }
  }

  private newEntry(
    { name: policy, kind, identity }: NamedPolicy,
    name: string,
    env: RolloutEnvironment,
    reference: ReferenceReturns | null,
  ): BenchmarkEntry {
    const { maxSteps, strategyTimeLimit } = this.settings;
    const sampling = kind === 'model' || kind === 'chat' ? this.sampling() : null;
    return {
      policy,
      kind,
      identity,
      environment: { name, kind: env.builtIn ? env.environment : 'openenv', options: env.spec.options },
      ...(sampling && { prompt: digestOf(strategyPrompt(env)) }),
      reference,
      maxSteps,
      strategyTimeLimit,
      seeds: this.seeds,
      sampling,
      attempts: [],
      version: this.version,
      date: new Date().toISOString(),
    };
  }

  private sampling(): SampleSettings {
    const { attempts, validationEpisodes, temperature, topP, maxNewTokens, seed } = this.settings;
    return { attempts: temperature === 0 ? 1 : attempts, validationEpisodes, temperature, topP, maxNewTokens, seed };
  }

  /** Lets a policy write and play what is not in the file. */
  private async runPolicy(policy: NamedPolicy, entry: BenchmarkEntry, env: RolloutEnvironment): Promise<void> {
    const earlier = policy.known ? this.file?.find(entryKey(entry)) : undefined;
    if (earlier && env.builtIn && isComplete(earlier)) {
      this.fromFile++;
      this.entries.push(earlier);
      return;
    }
    // A server may play otherwise than it did then; what was written for it stays.
    entry.attempts = (earlier?.attempts ?? []).map((one) => (env.builtIn ? one : { ...one, returns: null }));
    this.entries.push(entry);
    try {
      entry.stopped = await this.write(policy, entry, env);
      entry.attempts = await this.play(policy, entry, env);
    } catch (error) {
      if (this.signal.aborted) {
        entry.stopped = 'Interrupted.';
        this.keep(entry);
        throw error;
      }
      if (!(error instanceof OpenEnvError || error instanceof NoStrategy)) throw error;
      entry.stopped = firstLine(error);
    }
    if (entry.stopped === undefined) delete entry.stopped;
    else if (returnsOf(entry).length === 0)
      this.notes.push(`${policy.name} has no result in ${entry.environment.name}: ${entry.stopped}`);
    this.keep(entry);
  }

  /** Lets a policy write its strategies. Resolves to why it gave up, where it did. */
  private async write(
    policy: NamedPolicy,
    entry: BenchmarkEntry,
    env: RolloutEnvironment,
  ): Promise<string | undefined> {
    if (policy.kind !== 'model' && policy.kind !== 'chat') return undefined;
    const writing: Writing = {
      name: policy.name,
      prompt: strategyPrompt(env),
      sampling: entry.sampling!,
      earlier: entry.attempts,
      signal: this.signal,
      onAttempts: (attempts: Attempt[]) => {
        entry.attempts = attempts;
        this.keep(entry);
      },
    };
    if (policy.kind === 'model') return void (await writeByModel(policy.model, writing));
    const gone = this.gone.get(policy.name);
    if (gone !== undefined) return gone;
    const error = await writeByChat(policy.model, writing);
    // What is wrong with one prompt need not be with the next.
    if (error && error.code !== 'REFUSED' && error.code !== 'PROTOCOL_ERROR') this.gone.set(policy.name, error.message);
    return error?.message;
  }

  private async play(policy: NamedPolicy, entry: BenchmarkEntry, env: RolloutEnvironment): Promise<Attempt[]> {
    const { attempts, reference, seeds, sampling } = entry;
    const { maxSteps, strategyTimeLimit } = this.settings;
    const chosenOf = sampling && sampling.attempts > 1 ? sampling.validationEpisodes : 0;
    const playing: Playing = {
      env,
      reference,
      seeds,
      validationSeeds: validationStarts(chosenOf, seeds),
      maxSteps,
      strategyTimeLimit,
      signal: this.signal,
    };
    if (policy.kind === 'model' || policy.kind === 'chat') return playAttempts(attempts, playing);
    if (policy.kind === 'function') return [await playFunction(policy.choose, policy.name, playing)];
    let code: string;
    try {
      code = policy.codeFor(env, reference);
    } catch (error) {
      throw new NoStrategy((error as Error).message);
    }
    return playAttempts([newAttempt(code)], playing);
  }

  /** Writes an entry to the file. Where that fails, the benchmark goes on and says so. */
  private keep(entry: BenchmarkEntry): void {
    if (entry.attempts.length === 0 || this.unwritten !== null) return;
    entry.date = new Date().toISOString();
    try {
      this.file?.put(entry);
    } catch (error) {
      this.unwritten = firstLine(error);
    }
  }

  /** Shows what there is under the running cell. */
  private show(notes: readonly string[]): BenchmarkResult {
    const result = new BenchmarkResult([...this.entries], [...this.notes, ...notes]);
    if (cellContext().console) return result;
    if (this.shown) this.shown.update(result);
    else if (this.entries.length + notes.length > 0) this.shown = display(result);
    return result;
  }

  private closingNotes(): string[] {
    const { file, unwritten, fromFile, entries } = this;
    if (!file) return [];
    if (unwritten !== null) return [`The results could not be kept in ${file.name}. ${unwritten}`];
    const before = fromFile > 0 ? ` ${fromFile} of ${entries.length} were there already.` : '';
    return [
      `The results are kept in ${file.name}: leaderboard(${JSON.stringify(this.settings.file)}) shows all in it.${before}`,
    ];
  }

  private goesOn(): string {
    return this.file && this.unwritten === null
      ? `What was played is kept in ${this.file.name}: run the cell again, and it goes on.`
      : 'What was played is shown; file: null keeps nothing.';
  }
}

/** Why a policy has no strategy for an environment, in one line. */
class NoStrategy extends Error {}

function namedEnvironments(given: unknown): Array<[string, RolloutEnvironment]> {
  const isOne = typeof given === 'object' && given !== null && 'vectorSources' in given;
  const list = isOne ? [given] : Array.isArray(given) ? given : null;
  const entries = (list?.map((env) => [(env as RolloutEnvironment | null)?.name ?? '', env]) ??
    Object.entries((given ?? {}) as object)) as Array<[string, RolloutEnvironment]>;
  if (entries.length === 0)
    throw new TypeError(
      'benchmark: environments must be an environment, a list of them, or an object of them by name.',
    );
  for (const [name, env] of entries) {
    checkPlayable(env);
    if (entries.filter(([other]) => other === name).length > 1)
      throw new TypeError(
        `benchmark: two environments are called ${name}. Name them: environments: { sticky: env, deterministic: other }.`,
      );
  }
  return entries;
}

function firstLine(error: unknown): string {
  const [line] = String((error as Error).message ?? error).split('\n');
  return line;
}
