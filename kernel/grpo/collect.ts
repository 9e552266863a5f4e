import type { Episode, EpisodeFrames } from '../rollout';
import type { ReferenceReturns } from '../environments/reference';
import type { RolloutEnvironment } from '../environments/environment';
import type { Sample } from '../rewards/sample';
import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import type { ResolvedConfig } from './config';
import type { Prompt } from './prompts';
import { fillInRelations, programSample, type RefinedGeneration } from './refine';
import type { Assignment, Replay } from './refinement/search';

/** A group to be made: its prompt, and what is random in it. */
export interface GroupPlan {
  prompt: Prompt;
  samplingSeed: number;
  environmentSeed: number;
}

/** What collecting rollouts needs. */
export interface CollectContext {
  model: CausalLM;
  tokenizer: Tokenizer;
  env: RolloutEnvironment | null;
  /** What chance gets there; undefined where nobody asks. */
  reference?: ReferenceReturns | null;
  config: ResolvedConfig;
  groups: GroupPlan[];
  /** Where programs are edited: who plays, and which programs play again. */
  refined?: RefinedGeneration;
  /** Completions of a group. */
  numGenerations: number;
  /** Training step, as samples carry it (from 1). */
  step: number;
  /** Episodes to capture frames of, at most; 0 for none. */
  frames: number;
  /** Secret of the run, from which the strategies' random numbers follow. */
  secret: string;
  signal: AbortSignal;
}

/** Completions with the episodes they played: everything before rewards. */
export interface Rollouts {
  /** Prompts of the groups. */
  promptIds: number[][];
  completionIds: number[][];
  /** Index into `promptIds` for each completion. */
  promptOf: number[];
  /** Log-probability of each token when it was sampled. */
  logprobs: Float32Array[];
  /** Whether a completion came to its end before the limit. */
  terminated: boolean[];
  samples: Sample[];
  /** Frames of some episodes, by index of the sample. */
  frames: Map<number, EpisodeFrames>;
  /** Where programs are edited: who played, and the parents' episodes. */
  assignment?: Assignment;
  replays?: Sample[];
}

/**
 * Generates groups of completions and plays them: each group answers one
 * prompt, and its strategies play from one start.
 *
 * @throws the signal's reason when aborted
 */
export async function collect(context: CollectContext): Promise<Rollouts> {
  const rollouts = await generate(context);
  return { ...rollouts, ...(await play(rollouts, context)) };
}

async function generate({
  model,
  tokenizer,
  config,
  groups,
  numGenerations,
  reference,
  step,
  signal,
}: CollectContext): Promise<Omit<Rollouts, 'frames'>> {
  const output = await model.generate({
    inputIds: groups.map(({ prompt }) => prompt.ids),
    numReturnSequences: numGenerations,
    maxNewTokens: config.maxCompletionLength,
    doSample: true,
    temperature: config.temperature,
    topK: config.topK,
    topP: config.topP,
    minP: config.minP ?? 0,
    repetitionPenalty: config.repetitionPenalty,
    eosTokenId: endTokens(model, tokenizer),
    ...config.generationKwargs,
    seed: groups.map(({ samplingSeed }) => samplingSeed),
    signal,
  });
  signal.throwIfAborted();
  const promptOf = output.sequences.map((_, i) => Math.floor(i / numGenerations));
  const result = {
    promptIds: groups.map(({ prompt }) => prompt.ids),
    completionIds: output.sequences,
    promptOf,
    logprobs: output.logprobs,
    terminated: output.terminated,
    samples: output.sequences.map((ids, i) =>
      emptySample(groups[promptOf[i]].prompt, ids, { tokenizer, reference, step }),
    ),
  };
  return result;
}

/** Tokens that end a completion in training: as in TRL those that the model names, and the tokenizer's own. */
function endTokens({ eosTokenIds }: CausalLM, { eosTokenId }: Tokenizer): number[] {
  return [...new Set([...(typeof eosTokenId === 'number' ? [eosTokenId] : []), ...eosTokenIds])];
}

function emptySample(
  prompt: Prompt,
  completionIds: number[],
  { tokenizer, reference, step }: Pick<CollectContext, 'tokenizer' | 'reference' | 'step'>,
): Sample {
  const completion = tokenizer.decode(completionIds, { skipSpecialTokens: true });
  return {
    ...prompt.columns,
    prompt: prompt.text,
    completion,
    completionIds,
    code: null,
    problems: [],
    episode: null,
    step,
    ...(reference !== undefined && { reference }),
  };
}

/** What {@link play} needs. */
type PlayContext = Pick<
  CollectContext,
  'env' | 'reference' | 'groups' | 'refined' | 'step' | 'frames' | 'secret' | 'signal'
> & {
  config: Pick<ResolvedConfig, 'maxEpisodeSteps' | 'strategySeconds'>;
  tokenizer: Tokenizer | null;
};

/**
 * Extracts, checks and plays the strategies, beside them their parents, and
 * fills in the samples.
 *
 * @throws the signal's reason when aborted
 */
export async function play(
  { samples, promptOf }: Pick<Rollouts, 'samples' | 'promptOf'>,
  context: PlayContext,
): Promise<Pick<Rollouts, 'frames' | 'assignment' | 'replays'>> {
  const { env, config, groups, refined, tokenizer, reference, step, frames, secret, signal } = context;
  if (!env) return { frames: new Map() };
  const { rollout } = require('../rollout') as typeof import('../rollout');
  const playable = await sources(samples, signal);
  const assignment = refined?.assign(playable);
  const again = assignment?.replays ?? [];
  const codes = playable.map((code, i) => (assignment && assignment.children[i] !== 'play' ? null : code));
  const shown = codes.flatMap((code, i) => (code === null ? [] : [i])).slice(0, frames);
  const { episodes, frames: captured } = await rollout(env, [...codes, ...again.map(({ program }) => program.code)], {
    seeds: [
      ...promptOf.map((group) => groups[group].environmentSeed),
      ...again.map(({ environmentSeed }) => environmentSeed),
    ],
    maxSteps: config.maxEpisodeSteps,
    seconds: config.strategySeconds,
    secret,
    signal,
    ...(shown.length > 0 && { frames: { episodes: shown, every: 4 } }),
  });
  signal.throwIfAborted();
  samples.forEach((sample, i) => fillIn(sample, episodes[i]));
  if (!refined || !assignment) return { frames: captured };
  const { prompt } = groups[0];
  const replays = again.map(({ program }) => programSample(program.code, prompt, { tokenizer, reference, step }));
  replays.forEach((sample, i) => fillIn(sample, episodes[samples.length + i]));
  fillInRelations(samples, replays, refined, assignment);
  return { frames: captured, assignment, replays };
}

/**
 * Plays programs again, each from a start of its own.
 *
 * @returns their samples, whose completions are the programs and nothing else
 * @throws the signal's reason when aborted
 */
export async function playAgain(
  again: readonly Replay[],
  {
    env,
    config,
    groups,
    tokenizer,
    reference,
    step,
    secret,
    signal,
  }: Omit<PlayContext, 'refined' | 'frames' | 'groups'> & { groups: Array<Pick<GroupPlan, 'prompt'>> },
): Promise<Sample[]> {
  if (!env || again.length === 0) return [];
  const { rollout } = require('../rollout') as typeof import('../rollout');
  const { episodes } = await rollout(
    env,
    again.map(({ program }) => program.code),
    {
      seeds: again.map(({ environmentSeed }) => environmentSeed),
      maxSteps: config.maxEpisodeSteps,
      seconds: config.strategySeconds,
      secret,
      signal,
    },
  );
  signal.throwIfAborted();
  return again.map(({ program }, i) => {
    const sample = programSample(program.code, groups[0].prompt, { tokenizer, reference, step });
    fillIn(sample, episodes[i]);
    return sample;
  });
}

/** Extracts and checks the strategies. @returns those that may play */
async function sources(samples: readonly Sample[], signal: AbortSignal): Promise<Array<string | null>> {
  const { extractFunction } = require('../strategy') as typeof import('../strategy');
  const { checkCodeAsync } = require('../strategy/check') as typeof import('../strategy/check');
  for (const sample of samples) {
    sample.code = extractFunction(sample.completion);
    sample.problems = sample.code === null ? [] : await checkCodeAsync(sample.code);
    signal.throwIfAborted();
  }
  return samples.map(({ code, problems }) => (problems.length === 0 ? code : null));
}

/** An episode that the environment could not play did not happen. */
export function fillIn(sample: Sample, episode: Episode | null): void {
  if (episode?.end.reason === 'environment_error') sample.environmentError = episode.end.message;
  else sample.episode = episode;
}
