import { Episode } from '../../episodes/episode';
import type { Tokenizer } from '../../models/tokenizer/tokenizer';
import type { Sample } from '../../rewards/sample';
import { score, type RewardTable } from '../../rewards/scoring';
import { checkedAdvantages } from '../advantages';
import type { StepContext } from '../context';
import type { Group } from '../rollouts/generate';
import { extractStrategies, playableCode, playSamples, type Completion, type Rollouts } from '../rollouts/play';
import { groupsPerGeneration, type Prompt } from '../rollouts/prompts';
import { environmentSeed, samplingSeed } from '../rollouts/seeds';
import { scoredSamples, type Scored } from './evaluations';
import { searchAdvantages } from './objective';
import type { Program } from './program';
import { editPrompt } from './prompt';
import type { SearchReport } from './children';
import { ProgramSearch, promisingReplays, type Assignment, type SearchPlan } from './search';

/*
 * A step with refinement: its prompts have programs of the database, the parents
 * play beside their edits, and the gains of the edits are the rewards.
 */

/** The parts of a {@link StepContext} that playing and scoring programs uses. */
export interface ProgramContext
  extends Pick<
    StepContext,
    'env' | 'reference' | 'config' | 'rewards' | 'prompt' | 'step' | 'trainerState' | 'secret' | 'signal'
  > {
  tokenizer: Pick<Tokenizer, 'encode'> | null;
}

/** A generation that is planned: which groups edit which programs. */
export interface EditPlan {
  search: ProgramSearch;
  plan: SearchPlan;
}

/** A generation of edits that has played. */
export interface PlayedEdits {
  plan: SearchPlan;
  assignment: Assignment;
  /** The parents' episodes from the starts of their groups. */
  replays: Sample[];
}

/** A generation of edits that was added to the database. */
export interface TakenIn {
  /** The search before and after it. */
  before: ProgramSearch;
  after: ProgramSearch;
  report: SearchReport;
  /** Returns the advantages under these scores, one per child. */
  advantages(table: RewardTable): Float32Array;
}

/** Plans a generation: the prompt of a group shows its parent; without a parent it is the row's. */
export function planEdits(
  search: ProgramSearch,
  generation: number,
  { config, prompts, model, secret }: Pick<StepContext, 'config' | 'prompts' | 'model' | 'secret'>,
): EditPlan & { groups: Group[] } {
  const count = groupsPerGeneration(config);
  const longestPrompt = model.maxSeqLength - config.maxCompletionLength!;
  const edited = (program: Program, group: number, inspirations: Program[] = []) =>
    prompts.edited(generation * count + group, editTextOf(search, program, inspirations));
  const fits = ({ ids }: Prompt) => ids.length <= longestPrompt;
  const startOf = (index: number) => environmentSeed(secret, config.seed, generation, index);
  const plan = search.plan(generation, count, startOf, (program, group) => fits(edited(program, group)));
  /** Returns a prompt with as many inspirations as there is room for. */
  const promptOf = (parent: Program, group: number, inspirations: Program[]): Prompt => {
    const prompt = edited(parent, group, inspirations);
    return inspirations.length === 0 || fits(prompt) ? prompt : promptOf(parent, group, inspirations.slice(0, -1));
  };
  const groups = plan.groups.map(
    ({ parent, inspirations, environmentSeed }, g): Group => ({
      prompt: parent ? promptOf(parent, g, inspirations) : prompts.at(generation * count + g),
      samplingSeed: samplingSeed(config.seed, generation, g),
      environmentSeed,
    }),
  );
  return { search, plan, groups };
}

/** Returns the text below the environment's prompt that asks for an edit of a program. */
export function editTextOf({ database }: ProgramSearch, program: Program, others: Program[] = []): string {
  const [best] = database.best(1);
  return editPrompt({
    code: program.code,
    worth: database.worth(program),
    best: database.worth(best),
    evaluation: program.evaluations.at(-1),
    inspirations: others.map((other) => ({ code: other.code, worth: database.worth(other) })),
  });
}

/**
 * Plays the edits that are not duplicates, and their parents from the same seeds.
 *
 * @throws the signal's reason when aborted
 */
export async function playEdits(
  completions: readonly Completion[],
  { search, plan }: EditPlan,
  context: ProgramContext & Pick<StepContext, 'frames' | 'live'>,
): Promise<Rollouts & { edits: PlayedEdits }> {
  const children = await extractStrategies(completions, context);
  const sources = children.map(playableCode);
  const assignment = search.assign(plan, sources);
  const codes = sources.map((code, i) => (assignment.children[i] === 'play' ? code : null));
  const parents = assignment.replays.map(({ program }) => programSample(program.code, context));
  const { samples, frames } = await playSamples(
    [...children, ...parents],
    [
      ...completions.map(({ environmentSeed }) => environmentSeed),
      ...assignment.replays.map(({ environmentSeed }) => environmentSeed),
    ],
    context,
    [...codes, ...parents.map(playableCode)],
    // The edits.
    children.length,
  );
  const replays = samples.slice(children.length);
  return {
    samples: withRelations(samples.slice(0, children.length), replays, { plan, assignment, search }),
    frames,
    edits: { plan, assignment, replays },
  };
}

/** Returns edits with their parents; those that did not play, with the episode that they share or the program that they repeat. */
function withRelations(
  samples: readonly Sample[],
  replays: readonly Sample[],
  { plan, assignment, search }: { plan: SearchPlan; assignment: Assignment; search: ProgramSearch },
): Sample[] {
  const size = samples.length / plan.groups.length;
  let replay = 0;
  const parents = plan.groups.map(
    ({ parent }) =>
      parent && {
        id: parent.id,
        code: parent.code,
        worth: search.database.worth(parent),
        episode: replays[replay++].episode,
      },
  );
  return samples.map((sample, i) => {
    const child = assignment.children[i];
    const parent = parents[Math.floor(i / size)];
    if (typeof child === 'string') return { ...sample, parent };
    if ('duplicateOf' in child) return { ...sample, parent, duplicateOf: child.duplicateOf };
    // The same source from the same seed plays the same episode.
    const { episode, environmentError } = replays[child.copyOf];
    return environmentError !== undefined
      ? { ...sample, parent, environmentError }
      : { ...sample, parent, episode: episode && new Episode(structuredClone({ ...episode })) };
  });
}

/**
 * Adds a generation of edits to the database, lets promising programs play
 * again, and computes what each edit gains over its parent.
 *
 * @throws RewardError when a replay cannot be scored, and the signal's reason when aborted
 */
export async function takeIn(
  before: ProgramSearch,
  { plan, assignment, replays }: PlayedEdits,
  samples: readonly Sample[],
  table: RewardTable,
  context: ProgramContext,
): Promise<TakenIn> {
  const { config, secret } = context;
  const parents = await scorePrograms(replays, context);
  const accept = (scores: RewardTable) => before.accept(plan, assignment, scoredSamples(samples, scores), parents);
  const arrivals = accept(table);
  const again = promisingReplays(arrivals, (i) => environmentSeed(secret, config.seed, plan.generation, i));
  const seen = await scorePrograms(await playPrograms(again, context), context);
  const { search: after, report } = ProgramSearch.complete(arrivals, again, seen);
  const settings = { ...before.settings, scaleRewards: config.scaleRewards };
  return {
    before,
    after,
    report,
    advantages: (scores) => {
      const { groups } = scores === table ? report : ProgramSearch.complete(accept(scores), again, seen).report;
      return checkedAdvantages(searchAdvantages(groups, settings), scores);
    },
  };
}

/**
 * Plays programs, each from its own environment seed.
 *
 * @returns their samples, whose completions are the programs alone
 * @throws the signal's reason when aborted
 */
export async function playPrograms(
  programs: ReadonlyArray<{ program: Pick<Program, 'code'>; environmentSeed: number }>,
  context: ProgramContext,
): Promise<Sample[]> {
  const samples = programs.map(({ program }) => programSample(program.code, context));
  const seeds = programs.map(({ environmentSeed }) => environmentSeed);
  // These are not shown, whatever else the context of a step has.
  return (await playSamples(samples, seeds, { ...context, frames: undefined, live: undefined })).samples;
}

/** Scores samples with the current functions; metrics and tables do not show them. */
export async function scorePrograms(
  samples: readonly Sample[],
  { config, rewards, trainerState, signal }: Pick<ProgramContext, 'config' | 'rewards' | 'trainerState' | 'signal'>,
): Promise<Scored[]> {
  const scores = await score(rewards(), samples, { trainerState, timeLimit: config.rewardTimeLimit, signal });
  if (scores.error) throw scores.error;
  return scoredSamples(samples, scores.table);
}

/** Returns the sample of a program that plays again, for reward functions: its completion is the program alone. */
export function programSample(
  code: string,
  { prompt, tokenizer, reference, step }: Pick<ProgramContext, 'prompt' | 'tokenizer' | 'reference' | 'step'>,
): Sample {
  const completion = completionText(code);
  return {
    ...prompt.columns,
    prompt: prompt.text,
    completion,
    completionIds: tokenizer ? tokenizer.encode(completion, { addSpecialTokens: false }) : [],
    code,
    problems: [],
    episode: null,
    step,
    ...(reference !== undefined && { reference }),
  };
}

/** Returns the completion that is a program alone: a block of code. */
export function completionText(code: string): string {
  return '```ts\n' + code + '\n```';
}

/** Returns columns of the table of completions: each one's parent and its gain over it. */
export function editColumns({ groups }: SearchReport): Array<[string, unknown[]]> {
  const parents = groups.flatMap(({ parent, children }) =>
    children.map(() => (parent === null ? 'none' : `program ${parent}`)),
  );
  const gains = groups.flatMap(({ fresh, children }) =>
    children.map(({ gain, status }) => (fresh ? null : status === 'played' ? gain : status)),
  );
  return [
    ['parent', parents],
    ['gain', gains],
  ];
}
