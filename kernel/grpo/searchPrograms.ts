import { createHash } from 'node:crypto';
import { host } from '../display/host';
import type { RolloutEnvironment } from '../environments/environment';
import { scoreSamples } from '../rewards/scoring';
import { givenSecret } from '../strategy/secret';
import { deriveSeed } from '../training/seeds';
import { chooseProgram } from './chooseProgram';
import { play, playAgain } from './collect';
import { resolveConfig, type GRPOConfig } from './config';
import { environmentSeedOf, validationSeedOf } from './generations';
import { groupsPerGeneration, refinedSteps } from './prompts';
import { programSample, type RefinedGeneration } from './refine';
import type { Program } from './refinement/program';
import { Programs } from './refinement/programs';
import { scoredSamples } from './refinement/evaluations';
import { ProgramSearch, secondLook, type SearchReport } from './refinement/search';
import { runReference } from './runReference';
import { weightedRewards, type RewardFuncs } from './rewardFuncs';

/**
 * Writes a program: an edit of a parent, or one from nothing. The same parent,
 * seed and programs (for crossover) give the same source; `null` where it
 * comes to none.
 */
export type ProgramEditor = (
  parent: Program | null,
  seed: number,
  programs: Programs,
) => string | null | Promise<string | null>;

/** Options of {@link searchPrograms}. */
export interface SearchProgramsOptions {
  env: RolloutEnvironment;
  rewardFuncs: RewardFuncs;
  editor: ProgramEditor;
  /** Those of a `GRPOTrainer` run: `refinement` (on, unless given), `maxSteps`, `numGenerations`, `maxEpisodeSteps`, `seed` … Those of a model mean nothing. */
  args?: GRPOConfig;
  /** Starts and strategies' random numbers follow from it, as in a run that has the same (see `JOYLAB_SECRET`). By default from the seed alone: no model writes here that could know it. */
  secret?: string;
  /** Ends the search. By default it ends with the running cell. */
  signal?: AbortSignal;
  /** Called after each step, counted from 1. */
  onStep?: (step: number, report: SearchReport, programs: Programs) => void | Promise<void>;
}

/**
 * The search of a `GRPOTrainer` with `refinement`, by any editor instead of a
 * model: the same database, replays, scores and validation, episode for
 * episode. With random edits it is the baseline that a model has to beat.
 *
 * @returns the programs found, the winner of the validation first
 * @throws the signal's reason when aborted
 */
export async function searchPrograms({
  env,
  rewardFuncs,
  editor,
  args = {},
  secret: given,
  signal = host().signal,
  onStep,
}: SearchProgramsOptions): Promise<Programs> {
  const config = resolveConfig({ refinement: true, ...args });
  if (!config.refinement)
    throw new TypeError('searchPrograms searches by refinement: leave it out of args, or give its settings.');
  const { seed, refinement, rewardWeights, rewardTimeLimit } = config;
  const secret = given ?? givenSecret() ?? createHash('sha256').update(`search ${seed}`).digest('hex');
  const rewards = weightedRewards(rewardFuncs, rewardWeights);
  const prompt = { text: '', ids: [], columns: {} };
  let search = ProgramSearch.start({ ...refinement, seed });
  const programs = new Programs(() => search);
  const score = async (samples: Parameters<typeof scoreSamples>[1]) =>
    scoredSamples(samples, await scoreSamples(rewards, samples, { signal, timeLimit: rewardTimeLimit }));
  const steps = refinedSteps(config, refinement);
  const reference = await runReference(env, config, signal);
  for (let generation = 0; generation < steps; generation++) {
    const startOf = (index: number) => environmentSeedOf(secret, seed, generation, index);
    const plan = search.plan(generation, groupsPerGeneration(config), startOf);
    const groups = plan.groups.map(({ environmentSeed }, g) => ({
      prompt,
      environmentSeed,
      samplingSeed: deriveSeed(seed, 'sampling', generation, g),
    }));
    const refined: RefinedGeneration = { search, plan, groups, assign: (codes) => search.assign(plan, codes) };
    const samples = [];
    for (const [g, { parent }] of plan.groups.entries()) {
      for (let i = 0; i < config.numGenerations; i++) {
        const code = await editor(parent, deriveSeed(groups[g].samplingSeed, 'edit', i), programs);
        samples.push(programSample(code ?? '', prompt, { tokenizer: null, reference, step: generation + 1 }));
      }
    }
    const promptOf = samples.map((_, i) => Math.floor(i / config.numGenerations));
    const context = {
      env,
      config,
      groups,
      refined,
      tokenizer: null,
      reference,
      step: generation + 1,
      frames: 0,
      secret,
      signal,
    };
    const { assignment, replays } = await play({ samples, promptOf }, context);
    const arrivals = search.accept(plan, assignment!, await score(samples), await score(replays!));
    const again = secondLook(arrivals, startOf);
    const completed = ProgramSearch.complete(arrivals, again, await score(await playAgain(again, context)));
    search = completed.search;
    await onStep?.(generation + 1, completed.report, programs);
  }
  if (refinement.validationEpisodes > 0 && search.database.size > 0) {
    const sampleOf = (code: string) => programSample(code, prompt, { tokenizer: null, reference, step: steps });
    search = await chooseProgram({
      search,
      env,
      rewards,
      sampleOf,
      environmentSeedOf: (start) => validationSeedOf(secret, seed, start),
      limits: config,
      secret,
      signal,
    });
  }
  return programs;
}
