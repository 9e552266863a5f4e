import { createHash } from 'node:crypto';
import { cellContext } from '../../display/cellContext';
import type { RolloutEnvironment } from '../../environments/environment';
import { scoreSamples } from '../../rewards/scoring';
import { givenSecret } from '../../strategy/secret';
import { deriveSeed } from '../../training/seeds';
import { resolveConfig, type GRPOConfig } from '../config';
import { measureReference, type Completion } from '../rollouts/play';
import { groupsPerGeneration, refinedSteps } from '../rollouts/prompts';
import { weightedRewards, type RewardFuncs } from '../rewardFuncs';
import { environmentSeed, samplingSeed } from '../rollouts/seeds';
import { completionText, playEdits, takeIn, type ProgramContext } from './edits';
import type { Program } from './program';
import { Programs } from './programs';
import type { SearchReport } from './children';
import { ProgramSearch } from './search';
import { chooseProgram } from './validation';

/**
 * Returns the source of a program: an edit of `parent`, or one from nothing when
 * that is `null`; `null` when it has none. The same parent, seed and programs
 * (for crossover) must give the same source.
 */
export type ProgramEditor = (
  parent: Program | null,
  seed: number,
  programs: Programs,
) => string | null | Promise<string | null>;

/** Options of {@link searchPrograms}. */
export interface SearchProgramsOptions {
  /** The environment that the programs play. */
  env: RolloutEnvironment;
  /** Reward functions, or functions with name and weight. */
  rewardFuncs: RewardFuncs;
  editor: ProgramEditor;
  /** The settings of a `GRPOTrainer` run: `refinement` (on by default), `maxSteps`, `numGenerations`, `maxEpisodeSteps`, `seed` … Those of a model are ignored. */
  args?: GRPOConfig;
  /** Environment seeds and strategies' random numbers follow from it, as in a run with the same secret (see `JOYLAB_SECRET`). By default it follows from the seed: there is no model that could know it. */
  secret?: string;
  /** Ends the search when aborted. By default an interrupt of the running cell does. */
  signal?: AbortSignal;
  /** Called after each step, counted from 1. */
  onStep?: (step: number, report: SearchReport, programs: Programs) => void | Promise<void>;
}

/**
 * Runs the search of a `GRPOTrainer` with `refinement`, with any editor instead
 * of a model: the same database, replays, scores and validation, episode for
 * episode. With random edits it is the baseline that a model has to beat.
 *
 * @returns the programs found, the winner of the validation first
 * @throws TypeError for settings that are not valid, RewardError when a reward function fails, and the signal's reason
 *   when aborted
 */
export async function searchPrograms({
  env,
  rewardFuncs,
  editor,
  args = {},
  secret: given,
  signal = cellContext().signal,
  onStep,
}: SearchProgramsOptions): Promise<Programs> {
  const config = resolveConfig({ refinement: true, ...args });
  if (!config.refinement)
    throw new TypeError('searchPrograms searches by refinement: leave it out of args, or give its settings.');
  const { seed, refinement, rewardWeights, numGenerations } = config;
  const secret = given ?? givenSecret() ?? createHash('sha256').update(`search ${seed}`).digest('hex');
  const rewards = weightedRewards(rewardFuncs, rewardWeights);
  const reference = await measureReference(env, config, signal);
  const contextOf = (step: number): ProgramContext => ({
    env,
    reference,
    config,
    rewards: () => rewards,
    prompt: { text: '', columns: {} },
    tokenizer: null,
    step,
    trainerState: null,
    secret,
    signal,
  });
  let search = ProgramSearch.start({ ...refinement, seed });
  const programs = new Programs(() => search);
  const steps = refinedSteps(config, refinement);
  for (let generation = 0; generation < steps; generation++) {
    const context = contextOf(generation + 1);
    const plan = search.plan(generation, groupsPerGeneration(config), (i) =>
      environmentSeed(secret, seed, generation, i),
    );
    const completions: Completion[] = [];
    for (const [g, { parent, environmentSeed }] of plan.groups.entries()) {
      for (let i = 0; i < numGenerations; i++) {
        const code = await editor(parent, deriveSeed(samplingSeed(seed, generation, g), 'edit', i), programs);
        completions.push({ prompt: '', completion: completionText(code ?? ''), completionIds: [], environmentSeed });
      }
    }
    const { samples, edits } = await playEdits(completions, { search, plan }, context);
    const table = await scoreSamples(rewards, samples, { signal, timeLimit: config.rewardTimeLimit });
    const { after, report } = await takeIn(search, edits, samples, table, context);
    search = after;
    await onStep?.(generation + 1, report, programs);
  }
  if (refinement.validationEpisodes > 0 && search.database.size > 0)
    search = await chooseProgram(search, contextOf(steps));
  return programs;
}
