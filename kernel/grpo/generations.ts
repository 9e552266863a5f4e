import type { ReferenceReturns } from '../environments/reference';
import type { RolloutEnvironment } from '../rollout/environments';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer';
import { diagnoseSignal } from '../rewards/diagnosis';
import { recentRollouts } from '../rewards/recent';
import { newRewardLog, scoreAll, type RewardLog, type RewardTable, type WeightedReward } from '../rewards/scoring';
import { mean } from '../rewards/statistics';
import type { Metrics } from '../training/metricsBuffer';
import { secretSeed } from '../strategy/secret';
import { deriveSeed } from '../training/seeds';
import type { TrainingOutput } from '../display/training';
import { fractionZeroStd, groupAdvantages, type AdvantageSettings } from './advantages';
import { collect, type GroupPlan, type Rollouts } from './collect';
import type { ResolvedConfig } from './config';
import { completionMetrics, rewardMetrics } from './metrics';
import { groupsPerGeneration, type Prompt, type PromptSource } from './prompts';
import { rewardChanges } from './rewardFuncs';
import { isScored, restoredRollouts, savedRollouts, type SavedRollouts, type ScoredRollouts } from './scoredRollouts';
import { unplayedOf, type Unplayed } from './unplayed';

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
 * them, and kept as long as a later step uses them.
 */
export class Generations {
  private kept = new Map<number, ScoredRollouts>();
  private usedRewards: WeightedReward[] = [];

  /** The rollouts of a generation, scored. What an interruption left is gone on with. */
  async get(generation: number, context: GenerationContext): Promise<Required<ScoredRollouts>> {
    let rollouts = this.kept.get(generation);
    if (!rollouts) {
      rollouts = { ...(await collectGeneration(generation, context)), generation };
      this.kept.set(generation, rollouts);
    }
    if (!isScored(rollouts) || this.rewardsChanged(rollouts, context)) await this.score(rollouts, context);
    return rollouts as Required<ScoredRollouts>;
  }

  /** Whether functions were replaced since an interruption came between the scores and their first use. */
  private rewardsChanged({ metrics }: ScoredRollouts, context: GenerationContext): boolean {
    const unused = Object.keys(metrics ?? {}).length > 0;
    return unused && rewardChanges(this.usedRewards, context.rewards()) !== '';
  }

  private async score(rollouts: ScoredRollouts, context: GenerationContext): Promise<void> {
    const { config, output, step, signal, tokensSeen } = context;
    const log = newRewardLog(context.trainerState);
    const { table, error } = await scoreAll(this.takeRewards(context), rollouts.samples, { signal, log, seconds: config.rewardSeconds });
    const unplayed = unplayedOf(rollouts.samples, context);
    const advantages = (scores: RewardTable) => groupAdvantages(scores, config, unplayed);
    recentRollouts.add({ step: step + 1, samples: rollouts.samples, groupSize: config.numGenerations, table: { ...table }, advantages, seconds: config.rewardSeconds });
    if (error) throw error;
    rollouts.table = table;
    rollouts.advantages = advantages(table);
    rollouts.metrics = { num_tokens: tokensSeen + countTokens(rollouts), ...rolloutMetrics(rollouts, table, config, log, unplayed) };
    rollouts.extra = log.extra;
    for (const text of diagnoseSignal(table, rollouts.samples, config.numGenerations)) output.note(step + 1, text);
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
    for (const generation of this.kept.keys()) if (generation < next) this.kept.delete(generation);
    for (const generation of generations) {
      const rollouts = this.kept.get(generation);
      if (rollouts) this.kept.set(generation, { ...rollouts, metrics: {}, frames: new Map() });
    }
  }

  /** The new settings generate in another way. */
  forgetRollouts(): void {
    this.kept.clear();
  }

  /** A new run starts. */
  clear(): void {
    this.kept.clear();
    this.usedRewards = [];
  }

  save(): SavedRollouts[] {
    return [...this.kept.values()].filter(isScored).map(savedRollouts);
  }

  load(saved: readonly SavedRollouts[]): void {
    this.kept = new Map(saved.map((rollouts) => [rollouts.generation, restoredRollouts(rollouts)]));
  }
}

function collectGeneration(generation: number, context: GenerationContext): Promise<Rollouts> {
  const { config, prompts } = context;
  const count = groupsPerGeneration(config);
  const groups = Array.from({ length: count }, (_, g) => plan(prompts.at(generation * count + g), config.seed, context.secret, generation, g));
  return collect({ ...context, step: context.step + 1, groups, numGenerations: config.numGenerations });
}

/** Strategies see where they start: so the start follows from the secret, too. */
function plan(prompt: Prompt, seed: number, secret: string, ...numbers: number[]): GroupPlan {
  return { prompt, samplingSeed: deriveSeed(seed, 'sampling', ...numbers), environmentSeed: secretSeed(secret, 'environment', seed, ...numbers) };
}

function countTokens({ promptIds, promptOf, completionIds }: Rollouts): number {
  return completionIds.reduce((sum, ids, i) => sum + ids.length + promptIds[promptOf[i]].length, 0);
}

/** Metrics of rollouts and rewards, with what the reward functions logged. */
export function rolloutMetrics({ completionIds, terminated }: Rollouts, table: RewardTable, settings: AdvantageSettings, log: RewardLog, unplayed: Unplayed): Metrics {
  return {
    ...completionMetrics(completionIds.map((ids) => ids.length), terminated),
    ...rewardMetrics(table),
    frac_reward_zero_std: fractionZeroStd(table, settings, unplayed),
    ...Object.fromEntries([...log.metrics].map(([name, values]) => [name, mean(values)])),
  };
}
