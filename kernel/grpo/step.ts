import type { RolloutBatch } from '../rewards/recent';
import { score, type RewardTable } from '../rewards/scoring';
import type { Metrics } from '../training/metricsBuffer';
import { groupAdvantages, unplayedOf } from './advantages';
import type { StepContext } from './context';
import { completionsOf, generate, promptGroups, tokensOf, type CompletionTokens } from './rollouts/generate';
import type { Fresh, Generations, Planned, Played, Scored } from './rollouts/generations';
import { generationMetrics, rolloutMetrics } from './metrics';
import { isOffPolicy, microBatchesOf, policyBatch } from './microBatches';
import { play } from './rollouts/play';
import { editColumns, planEdits, playEdits, takeIn } from './refinement/edits';
import { imitatedCompletions } from './refinement/imitation';
import { ofUpdate, worthOf } from './trl/worth';
import type { TrlUpdate } from './trl/update';
import type { PolicyUpdate } from './update/policyUpdate';

/*
 * A step of group relative policy optimisation, from top to bottom:
 *
 *   prompts → generate → play → score → advantages → update
 *
 * As a rule a step learns from completions of its own. But several steps may
 * learn from the same ones, and one step from several generations of them. So
 * generations are kept as long as a step needs them, and a step that was
 * interrupted goes on with what it has. README.md lists the functions on the way.
 *
 * A model in this process generates and is updated when a step says so. One in
 * a worker is TRL's trainer's, which generates and updates in its own order: it
 * asks for prompts and for what completions are worth, and the step answers.
 */

/** What a step learned from, and its metrics. */
interface Learned {
  generations: Scored[];
  metrics: Metrics;
}

/** Makes step number `step` (from 0) of a run. When it throws, the weights are as before. */
export async function grpoStep(
  step: number,
  learningRate: number,
  update: Pick<PolicyUpdate, 'step' | 'logprobs'>,
  kept: Generations,
  context: StepContext,
): Promise<Learned> {
  const { config, tokensSeen, signal } = context;
  // Without a learning rate nothing is learned: refinement is then the search alone.
  const learns = config.learningRate > 0;
  const microBatches = microBatchesOf(step, config);
  const generations = new Map<number, Scored>();
  for (const number of new Set(microBatches.map(({ generation }) => generation))) {
    const played = kept.get(number) ?? kept.keep(await generateAndPlay(number, kept, context));
    let generation = await scored(played, kept, context);
    if (learns) generation = kept.keep(await withOldLogprobs(generation, update, context));
    generations.set(number, generation);
  }
  signal.throwIfAborted();
  const batches = microBatches.map(({ generation, slice }) => policyBatch(generations.get(generation)!, slice, config));
  const updated = learns ? await update.step(batches, learningRate, { signal }) : {};
  const all = [...generations.values()];
  return { generations: all, metrics: { ...generationMetrics(all, tokensSeen), ...updated } };
}

/** The same for a model in a worker. */
export async function trlStep(
  step: number,
  update: Pick<TrlUpdate, 'step'>,
  kept: Generations,
  context: StepContext,
): Promise<Learned> {
  const { config, tokensSeen, signal } = context;
  const updated = await update.step(
    {
      async prompts(_mode, _groups, number) {
        const known = kept.get(number);
        if (known) return { prompts: known.tokens.promptIds, completions: known.tokens.completionIds };
        const { groups } = kept.plan(number) ?? kept.keepPlan(await plan(number, kept, context));
        return { prompts: groups.map(({ prompt }) => prompt.ids) };
      },
      async score(_mode, ids, number) {
        const planned = kept.plan(number)!;
        const played =
          kept.get(number) ?? kept.keep(await playAll(planned, tokensOf(ids, planned.groups, context), context));
        return worthOf(await scored(played, kept, context));
      },
    },
    signal,
  );
  const numbers = new Set(microBatchesOf(step, config).map(({ generation }) => generation));
  const all = [...numbers].map((number) => kept.get(number) as Scored);
  return { generations: all, metrics: { ...ofUpdate(updated), ...generationMetrics(all, tokensSeen) } };
}

/** Plans a generation: its prompts. With refinement they carry programs of the database, and these play beside their edits. */
async function plan(number: number, kept: Generations, context: StepContext): Promise<Planned> {
  if (!context.config.refinement) return { number, groups: promptGroups(number, context), edits: null };
  const { groups, ...edits } = planEdits(await kept.currentSearch(number, context), number, context);
  return { number, groups, edits };
}

/** Generates the completions of a generation, and plays their strategies. */
async function generateAndPlay(number: number, kept: Generations, context: StepContext): Promise<Played> {
  const planned = await plan(number, kept, context);
  return playAll(planned, await generate(planned.groups, context), context);
}

/** Plays the strategies of a generation's completions. */
async function playAll(
  { number, groups, edits }: Planned,
  tokens: CompletionTokens,
  context: StepContext,
): Promise<Played> {
  const completions = completionsOf(tokens, groups, context.tokenizer);
  const rollouts = edits ? await playEdits(completions, edits, context) : await play(completions, context);
  return { status: 'played', number, tokens, edits: null, ...rollouts };
}

/** Returns a generation with rewards and advantages by the functions of now. */
async function scored(generation: Played | Scored, kept: Generations, context: StepContext): Promise<Scored> {
  if (generation.status === 'logged') return generation;
  if (generation.status === 'fresh' && !kept.isOutdated(generation, context)) return generation;
  const played = generation.status === 'fresh' ? generation.played : generation;
  const fresh = kept.keep(await scoreAndCompare(played, kept, context));
  context.onScored?.(fresh);
  return fresh;
}

/** Scores a generation, and computes advantages: of completions within their group, of edits over their parents. */
async function scoreAndCompare(played: Played, kept: Generations, context: StepContext): Promise<Fresh> {
  const { config, step, trainerState, signal } = context;
  const { number, samples, tokens, edits } = played;
  const [rewards, timeLimit, groupSize] = [context.rewards(), config.rewardTimeLimit, config.numGenerations];
  const unplayed = unplayedOf(samples, context);
  const scores = await score(rewards, samples, { trainerState, timeLimit, signal });
  const { table } = scores;
  const { maxSteps } = trainerState ?? {};
  const recent: RolloutBatch = { step, samples, groupSize, table, timeLimit, maxSteps, advantages };
  // Also when a function failed: its correction then scores the same rollouts.
  context.recentRollouts.add(recent);
  if (scores.error) throw scores.error;
  const takenIn = edits && (await takeIn(await kept.currentSearch(number, context), edits, samples, table, context));
  if (takenIn) recent.advantages = takenIn.advantages;
  return {
    status: 'fresh',
    number,
    tokens,
    samples,
    table,
    advantages: (takenIn?.advantages ?? advantages)(table),
    metrics: { ...rolloutMetrics(tokens, scores, config, unplayed), ...takenIn?.report.metrics },
    extra: new Map([...(takenIn ? editColumns(takenIn.report) : []), ...scores.extra]),
    imitations: takenIn ? imitatedCompletions(takenIn.after, number, context) : undefined,
    played,
    rewards,
    failures: scores.failures,
    takenIn,
  };

  function advantages(scored: RewardTable): Float32Array {
    return groupAdvantages(scored, config, unplayed);
  }
}

/** Returns a generation with the policy's log-probabilities, when sampling has changed its distribution; otherwise those of sampling are the same. */
async function withOldLogprobs(
  generation: Scored,
  update: Pick<PolicyUpdate, 'logprobs'>,
  { config, signal }: StepContext,
): Promise<Scored> {
  const bent = config.repetitionPenalty !== 1 || config.generationKwargs !== null;
  if (generation.status === 'logged' || !bent || !isOffPolicy(config)) return generation;
  const logprobs = await update.logprobs(generation.tokens, { signal });
  return { ...generation, tokens: { ...generation.tokens, logprobs } };
}
