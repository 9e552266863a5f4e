import type { Sample } from '../../rewards/sample';
import type { RewardError, RewardTable, WeightedReward } from '../../rewards/scoring';
import type { Metrics } from '../../training/metricsBuffer';
import type { ResolvedConfig } from '../config';
import type { StepContext } from '../context';
import type { CompletionTokens, Group } from './generate';
import type { Rollouts } from './play';
import { scorePrograms, type EditPlan, type PlayedEdits, type TakenIn } from '../refinement/edits';
import { RunSearch } from '../refinement/runSearch';
import type { ProgramSearch } from '../refinement/search';
import { rewardChanges } from '../rewardFuncs';
import type { Imitations } from '../update/preparedStep';

/** A generation whose prompts are known. */
export interface Planned {
  number: number;
  groups: Group[];
  /** Of a run with refinement. */
  edits: EditPlan | null;
}

/** Completions that were generated together and have played. */
export interface Played extends Rollouts {
  status: 'played';
  /** Number of the generation in the run, from 0. */
  number: number;
  tokens: CompletionTokens;
  /** `null` without refinement. */
  edits: PlayedEdits | null;
}

/** A generation with its rewards and advantages, which steps learn from. */
export type Scored = Fresh | Logged;

interface Learnable {
  number: number;
  tokens: CompletionTokens;
  /** Empty when the generation comes from a checkpoint; `table` and `extra`, too. */
  samples: Sample[];
  table: RewardTable;
  advantages: Float32Array;
  /** Columns that reward functions added to the table of completions. */
  extra: Map<string, unknown[]>;
  /** With refinement: good programs of earlier steps that are learned with it. */
  imitations?: Imitations;
}

/** A scored generation that no step has learned from yet: it may be scored again. */
export interface Fresh extends Learnable {
  status: 'fresh';
  played: Played;
  /** The functions that its rewards come from. */
  rewards: WeightedReward[];
  /** Those that failed on some of its samples, which are not learned from. */
  failures: RewardError[];
  /** Metrics of its completions and rewards. */
  metrics: Metrics;
  takenIn: TakenIn | null;
}

/** A generation that a step has learned from: its metrics are in the log. */
export interface Logged extends Learnable {
  status: 'logged';
}

/** Returns the generations that no step has learned from yet. */
export function freshOf(generations: readonly Scored[]): Fresh[] {
  return generations.filter((generation) => generation.status === 'fresh');
}

/** A generation that later steps learn from, too, as a checkpoint keeps it. */
export interface SavedGeneration {
  generation: number;
  promptIds: number[][];
  completionIds: number[][];
  promptOf: number[];
  logprobs: number[][];
  terminated: boolean[];
  advantages: number[];
  imitations?: Imitations;
}

/**
 * The generations of a run that steps may still learn from, and, with
 * refinement, the search, which a generation changes when a step has learned
 * from it.
 */
export class Generations {
  private kept = new Map<number, Played | Scored>();
  private plans = new Map<number, Planned>();
  readonly search = new RunSearch();

  get(number: number): Played | Scored | undefined {
    return this.kept.get(number);
  }

  plan(number: number): Planned | undefined {
    return this.plans.get(number);
  }

  /** Keeps the prompts of a generation: an interrupted step has the same when it goes on. */
  keepPlan(plan: Planned): Planned {
    this.plans.set(plan.number, plan);
    return plan;
  }

  /** Keeps a generation as it is now, and returns it. */
  keep<Generation extends Played | Scored>(generation: Generation): Generation {
    this.kept.set(generation.number, generation);
    return generation;
  }

  /** Returns whether functions were replaced, or the generation before was scored again, since a generation was scored. */
  isOutdated({ number, rewards: used, takenIn }: Fresh, { rewards, config }: StepContext): boolean {
    if (rewardChanges(used, rewards()) !== '') return true;
    return takenIn !== null && takenIn.before !== this.searchBefore(number, config);
  }

  /** Returns the search that a generation continues, with fitness by the current functions. */
  async currentSearch(number: number, context: StepContext): Promise<ProgramSearch> {
    await this.search.follow(context.rewards(), (samples) => scorePrograms(samples, context));
    return this.searchBefore(number, context.config);
  }

  /** Returns the search after the newest generation before this one. */
  private searchBefore(number: number, config: ResolvedConfig): ProgramSearch {
    const earlier = [...this.kept.values()]
      .flatMap((one) => (one.status === 'fresh' && one.takenIn && one.number < number ? [one] : []))
      .sort((a, b) => b.number - a.number);
    return earlier[0]?.takenIn?.after ?? this.search.at(config);
  }

  /** Marks the generations that a step has learned from as logged, and drops those before `next`, which no step needs again. */
  learned(generations: readonly Scored[], next: number): void {
    for (const { takenIn } of freshOf(generations)) if (takenIn) this.search.moveOn(takenIn.after);
    for (const { number, tokens, samples, table, advantages, extra, imitations } of generations)
      this.keep({ status: 'logged', number, tokens, samples, table, advantages, extra, imitations });
    for (const kept of [this.kept, this.plans])
      for (const number of kept.keys()) if (number < next) kept.delete(number);
  }

  /** Drops all generations: they do not fit changed settings. */
  forget(): void {
    this.kept.clear();
    this.plans.clear();
  }

  /** Forgets everything: a new run starts. */
  clear(): void {
    this.forget();
    this.search.clear();
  }

  /** Returns the generations that a step has learned from, as JSON; the others are generated again. */
  save(): SavedGeneration[] {
    const logged = [...this.kept.values()].filter((generation) => generation.status === 'logged');
    return logged.map(({ number, tokens: { logprobs, ...tokens }, advantages, imitations }) => ({
      generation: number,
      ...tokens,
      logprobs: logprobs.map((values) => Array.from(values)),
      advantages: Array.from(advantages),
      ...(imitations && { imitations }),
    }));
  }

  /** Replaces the generations by those that {@link save} returned. */
  load(saved: readonly SavedGeneration[]): void {
    this.forget();
    for (const { generation: number, advantages, imitations, logprobs, ...tokens } of saved) {
      const { promptIds, completionIds, promptOf, terminated } = tokens;
      this.keep({
        status: 'logged',
        number,
        tokens: {
          promptIds,
          completionIds,
          promptOf,
          terminated,
          logprobs: logprobs.map((values) => Float32Array.from(values)),
        },
        advantages: Float32Array.from(advantages),
        samples: [],
        table: { names: [], weights: [], values: [] },
        extra: new Map(),
        imitations,
      });
    }
  }
}
