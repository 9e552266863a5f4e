import type { ReferenceReturns } from '../environments/reference';
import type { RolloutEnvironment } from '../environments/environment';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import { diagnoseSignal } from '../rewards/diagnosis';
import { recentRollouts } from '../rewards/recent';
import type { Sample } from '../rewards/sample';
import { newRewardLog, scoreAll, type RewardLog, type RewardTable, type WeightedReward } from '../rewards/scoring';
import { mean } from '../rewards/statistics';
import type { Metrics } from '../training/metricsBuffer';
import { secretSeed } from '../strategy/secret';
import { deriveSeed } from '../training/seeds';
import type { TrainingOutput } from '../display/training';
import { checkedAdvantages, fractionZeroStd, groupAdvantages, type AdvantageSettings } from './advantages';
import { collect, playAgain, type GroupPlan, type Rollouts } from './collect';
import type { ResolvedConfig } from './config';
import { completionMetrics, rewardMetrics } from './metrics';
import { groupsPerGeneration, type PromptSource } from './prompts';
import { imitatedCompletions, planGeneration } from './refine';
import { searchAdvantages } from './refinement/objective';
import { scoredSamples, type Scored } from './refinement/evaluations';
import { ProgramSearch, secondLook, type SearchReport } from './refinement/search';
import { rewardChanges } from './rewardFuncs';
import { RunSearch } from './runSearch';
import {
  isScored,
  restoredRollouts,
  savedRollouts,
  type CompleteRollouts,
  type SavedRollouts,
  type ScoredRollouts,
} from './scoredRollouts';
import { unplayedOf, type Unplayed } from './unplayed';
import type { Imitations } from './update';

/** What rollouts are made with; it may change between two steps of a run. */
export interface GenerationContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  env: RolloutEnvironment | null;
  /** What chance gets there. */
  reference?: ReferenceReturns | null;
  config: ResolvedConfig;
  prompts: PromptSource;
  rewards(): WeightedReward[];
  output: TrainingOutput;
  /** Steps made. */
  step: number;
  /** Tokens before this step. */
  tokensSeen: number;
  trainerState: RewardLog['trainerState'];
  /** Episodes to capture frames of, at most. */
  frames: number;
  /** Secret of the run. */
  secret: string;
  signal: AbortSignal;
}

/**
 * The rollouts of a run: generated, played and scored when a step asks for
 * them, and kept as long as a later step uses them. Where programs are edited,
 * with the search, which moves on as soon as a step was made with a generation.
 */
export class Generations {
  private kept = new Map<number, ScoredRollouts>();
  private usedRewards: WeightedReward[] = [];
  /** Where programs are edited. */
  readonly search = new RunSearch();

  /** The rollouts of a generation, scored. What an interruption left is gone on with. */
  async get(generation: number, context: GenerationContext): Promise<CompleteRollouts> {
    let rollouts = this.kept.get(generation);
    if (!rollouts) {
      rollouts = { ...(await this.collect(generation, context)), generation };
      this.kept.set(generation, rollouts);
    }
    if (!isScored(rollouts) || this.isOutdated(rollouts, context)) await this.score(rollouts, context);
    return rollouts as CompleteRollouts;
  }

  /** Whether functions were replaced, or what came before was scored again, since an interruption came between the scores and their first use. */
  private isOutdated({ metrics, refined, generation }: ScoredRollouts, context: GenerationContext): boolean {
    const unused = Object.keys(metrics ?? {}).length > 0;
    if (unused && rewardChanges(this.usedRewards, context.rewards()) !== '') return true;
    return refined?.before !== undefined && refined.before !== this.searchBefore(generation, context.config);
  }

  private async collect(generation: number, context: GenerationContext): Promise<ScoredRollouts> {
    const { config, prompts, model } = context;
    const count = groupsPerGeneration(config);
    const samplingSeedOf = (group: number) => deriveSeed(config.seed, 'sampling', generation, group);
    const startOf = (index: number) => environmentSeedOf(context.secret, config.seed, generation, index);
    const common = { ...context, step: context.step + 1, numGenerations: config.numGenerations };
    if (!config.refinement) {
      const groups = Array.from(
        { length: count },
        (_, g): GroupPlan => ({
          prompt: prompts.at(generation * count + g),
          samplingSeed: samplingSeedOf(g),
          environmentSeed: startOf(g),
        }),
      );
      return { ...(await collect({ ...common, groups })), generation };
    }
    const search = await this.currentSearch(generation, context);
    const longestPrompt = model.maxSeqLength - config.maxCompletionLength!;
    const refined = planGeneration({
      search,
      generation,
      count,
      prompts,
      longestPrompt,
      samplingSeedOf,
      environmentSeedOf: startOf,
    });
    return {
      ...(await collect({ ...common, groups: refined.groups, refined })),
      generation,
      refined: { plan: refined.plan },
    };
  }

  private async score(rollouts: ScoredRollouts, context: GenerationContext): Promise<void> {
    const { config, output, step, signal, tokensSeen } = context;
    const log = newRewardLog(context.trainerState);
    const rewards = this.takeRewards(context);
    const { table, error } = await scoreAll(rewards, rollouts.samples, { signal, log, seconds: config.rewardSeconds });
    const unplayed = unplayedOf(rollouts.samples, context);
    let advantages = (scores: RewardTable) => groupAdvantages(scores, config, unplayed);
    recentRollouts.add({
      step: step + 1,
      samples: rollouts.samples,
      groupSize: config.numGenerations,
      table: { ...table },
      advantages: (scores) => advantages(scores),
      seconds: config.rewardSeconds,
    });
    if (error) throw error;
    const accepted = config.refinement ? await this.refine(rollouts, table, context) : null;
    if (accepted) advantages = accepted.advantages;
    rollouts.table = table;
    rollouts.advantages = advantages(table);
    rollouts.metrics = {
      num_tokens: tokensSeen + countTokens(rollouts),
      ...rolloutMetrics(rollouts, table, config, log, unplayed),
      ...accepted?.report.metrics,
    };
    rollouts.extra = accepted ? new Map([...relations(accepted.report), ...log.extra]) : log.extra;
    for (const text of diagnoseSignal(table, rollouts.samples, config.numGenerations)) output.note(step + 1, text);
  }

  /** Lets the search take in a generation. @returns its report, and the advantages that scores come to */
  private async refine(
    rollouts: ScoredRollouts,
    table: RewardTable,
    context: GenerationContext,
  ): Promise<{ report: SearchReport; advantages: (scores: RewardTable) => Float32Array } | null> {
    const { samples, replays, assignment, refined } = rollouts;
    if (!refined || !assignment || !replays) return null;
    const before = await this.currentSearch(rollouts.generation, context);
    const score = this.scorer(context);
    const parents = await score(replays);
    const accept = (scores: RewardTable) =>
      before.accept(refined.plan, assignment, scoredSamples(samples, scores), parents);
    const arrivals = accept(table);
    const again = secondLook(arrivals, (index) =>
      environmentSeedOf(context.secret, context.config.seed, rollouts.generation, index),
    );
    const seen = await score(
      await playAgain(again, { ...context, groups: [{ prompt: context.prompts.at(0) }], step: context.step + 1 }),
    );
    const { search: after, report } = ProgramSearch.complete(arrivals, again, seen);
    rollouts.refined = { ...refined, before, after };
    rollouts.imitations = this.imitations(after, rollouts.generation, context);
    const settings = { ...before.settings, scaleRewards: context.config.scaleRewards };
    return {
      report,
      advantages: (scores) =>
        checkedAdvantages(
          searchAdvantages(
            (scores === table ? report : ProgramSearch.complete(accept(scores), again, seen).report).groups,
            settings,
          ),
          scores,
        ),
    };
  }

  /** Good programs that are learned with a generation; none where nothing is learned. */
  private imitations(
    search: ProgramSearch,
    generation: number,
    { prompts, tokenizer, model, config }: GenerationContext,
  ): Imitations | undefined {
    if (config.learningRate === 0 || search.settings.imitations === 0) return undefined;
    const index = generation * groupsPerGeneration(config);
    return imitatedCompletions(search, { prompts, tokenizer, generation, index, longest: model.maxSeqLength });
  }

  /** Scores samples with the functions of this step, without a trace in the log. */
  private scorer({
    config,
    rewards,
    trainerState,
    signal,
  }: GenerationContext): (samples: Sample[]) => Promise<Scored[]> {
    return async (samples) => {
      const { table, error } = await scoreAll(rewards(), samples, {
        signal,
        log: newRewardLog(trainerState),
        seconds: config.rewardSeconds,
      });
      if (error) throw error;
      return scoredSamples(samples, table);
    };
  }

  /** The search that a generation goes on from, its fitness by the functions of this step. */
  private async currentSearch(generation: number, context: GenerationContext): Promise<ProgramSearch> {
    await this.search.follow(context.rewards(), this.scorer(context));
    return this.searchBefore(generation, context.config);
  }

  /** The search after the newest generation before this one. */
  private searchBefore(generation: number, config: ResolvedConfig): ProgramSearch {
    const earlier = [...this.kept.values()].filter(
      (rollouts) => rollouts.generation < generation && rollouts.refined?.after,
    );
    const newest = earlier.sort((a, b) => b.generation - a.generation)[0];
    return newest?.refined?.after ?? this.search.at(config);
  }

  /** The reward functions of this step; one that was replaced since the last is marked on the charts. */
  private takeRewards({ rewards: current, step, output }: GenerationContext): WeightedReward[] {
    const rewards = current();
    if (step > 0 && this.usedRewards.length > 0) {
      const text = rewardChanges(this.usedRewards, rewards);
      if (text) output.event({ step: step + 1, text });
    }
    this.usedRewards = rewards;
    output.data.rewardNames = rewards.map(({ name }) => name);
    return rewards;
  }

  /** A step was made with these generations: those before `next` are not needed again, the others were logged. */
  used(generations: Iterable<number>, next: number): void {
    for (const generation of generations) {
      const rollouts = this.kept.get(generation);
      if (!rollouts) continue;
      if (rollouts.refined?.after) this.search.moveOn(rollouts.refined.after);
      const { refined, replays, assignment, ...rest } = rollouts;
      this.kept.set(generation, { ...rest, metrics: {}, frames: new Map() });
    }
    for (const generation of this.kept.keys()) if (generation < next) this.kept.delete(generation);
  }

  /** The new settings generate in another way. */
  forgetRollouts(): void {
    this.kept.clear();
  }

  /** A new run starts. */
  clear(): void {
    this.kept.clear();
    this.usedRewards = [];
    this.search.clear();
  }

  save(): SavedRollouts[] {
    return [...this.kept.values()]
      .filter(isScored)
      .filter(({ refined }) => !refined?.after)
      .map(savedRollouts);
  }

  load(saved: readonly SavedRollouts[]): void {
    this.kept = new Map(saved.map((rollouts) => [rollouts.generation, restoredRollouts(rollouts)]));
  }
}

/** Columns of the table of completions: each one's parent and its gain over it. */
function relations({ groups }: SearchReport): Map<string, unknown[]> {
  const parents = groups.flatMap(({ parent, children }) =>
    children.map(() => (parent === null ? 'none' : `program ${parent}`)),
  );
  const gains = groups.flatMap(({ fresh, children }) =>
    children.map(({ gain, status }) => (fresh ? null : status === 'played' ? gain : status)),
  );
  return new Map<string, unknown[]>([
    ['parent', parents],
    ['gain', gains],
  ]);
}

/** Seed of the environment for the i-th start of a generation: first those of its groups. Strategies see where they start: so it follows from the secret, too. */
export function environmentSeedOf(secret: string, seed: number, generation: number, index: number): number {
  return secretSeed(secret, 'environment', seed, generation, index);
}

/** Seed of the i-th start on which programs are chosen: none that training or an evaluation has. */
export function validationSeedOf(secret: string, seed: number, index: number): number {
  return secretSeed(secret, 'validation environment', seed, index);
}

function countTokens({ promptIds, promptOf, completionIds }: Rollouts): number {
  return completionIds.reduce((sum, ids, i) => sum + ids.length + promptIds[promptOf[i]].length, 0);
}

/** Metrics of rollouts and rewards, with what the reward functions logged. */
export function rolloutMetrics(
  { completionIds, terminated }: Rollouts,
  table: RewardTable,
  settings: AdvantageSettings,
  log: RewardLog,
  unplayed: Unplayed,
): Metrics {
  return {
    ...completionMetrics(
      completionIds.map((ids) => ids.length),
      terminated,
    ),
    ...rewardMetrics(table),
    frac_reward_zero_std: fractionZeroStd(table, settings, unplayed),
    ...Object.fromEntries([...log.metrics].map(([name, values]) => [name, mean(values)])),
  };
}
