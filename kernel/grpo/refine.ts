import type { ReferenceReturns } from '../environments/reference';
import type { Tokenizer } from '../models/tokenizer/tokenizer';
import type { Sample } from '../rewards/sample';
import { Episode } from '../episodes/episode';
import type { GroupPlan } from './collect';
import type { Prompt, PromptSource } from './prompts';
import { imitationsOf } from './refinement/imitation';
import { editPrompt } from './refinement/prompt';
import type { Program } from './refinement/program';
import type { Assignment, ProgramSearch, SearchPlan } from './refinement/search';
import type { Imitations } from './update';

/** How a generation of a refinement run is made: its plan, and what a program's prompt is. */
export interface RefinedGeneration {
  search: ProgramSearch;
  plan: SearchPlan;
  groups: GroupPlan[];
  /** Who plays, given the children's sources. */
  assign(codes: ReadonlyArray<string | null>): Assignment;
}

/** What planning a generation needs. */
export interface PlanContext {
  search: ProgramSearch;
  generation: number;
  /** Groups of a generation. */
  count: number;
  prompts: PromptSource;
  /** Tokens of a prompt at most, so that a completion has room. */
  longestPrompt: number;
  samplingSeedOf(group: number): number;
  environmentSeedOf(start: number): number;
}

/** Plans a generation: a group edits its parent by a prompt that tells of it; without a parent its prompt is the row's. */
export function planGeneration({
  search,
  generation,
  count,
  prompts,
  longestPrompt,
  samplingSeedOf,
  environmentSeedOf,
}: PlanContext): RefinedGeneration {
  const [best] = search.database.best(1);
  const edited = (program: Program, group: number, inspirations: Program[] = []) =>
    prompts.edited(generation * count + group, textOf(search, program, best, inspirations));
  const plan = search.plan(
    generation,
    count,
    environmentSeedOf,
    (program, group) => edited(program, group).ids.length <= longestPrompt,
  );
  const groups = plan.groups.map(({ parent, inspirations, environmentSeed }, g): GroupPlan => {
    const prompt = parent
      ? longestThatFits(inspirations.length, longestPrompt, (shown) => edited(parent, g, inspirations.slice(0, shown)))
      : prompts.at(generation * count + g);
    return { prompt, samplingSeed: samplingSeedOf(g), environmentSeed };
  });
  return { search, plan, groups, assign: (codes) => search.assign(plan, codes) };
}

/** Programs that are worth being learned, as prompts and completions for a step; those that the model has no room for are left out. */
export function imitatedCompletions(
  search: ProgramSearch,
  { prompts, tokenizer, generation, index, longest }: ImitationContext,
): Imitations {
  const { imitations, imitationAdvantage } = search.settings;
  const [best] = search.database.best(1);
  const end = typeof tokenizer.eosTokenId === 'number' ? [tokenizer.eosTokenId] : [];
  const all = imitationsOf(search, imitations, generation).map(({ parent, program }) => ({
    prompt: (parent ? prompts.edited(index, textOf(search, parent, best)) : prompts.at(index)).ids,
    completion: [...tokenizer.encode(completionOf(program.code), { addSpecialTokens: false }), ...end],
  }));
  const fitting = all.filter(({ prompt, completion }) => prompt.length + completion.length <= longest);
  return {
    promptIds: fitting.map(({ prompt }) => prompt),
    completionIds: fitting.map(({ completion }) => completion),
    promptOf: fitting.map((_, i) => i),
    advantages: fitting.map(() => imitationAdvantage),
  };
}

/** What {@link imitatedCompletions} needs. */
export interface ImitationContext {
  prompts: PromptSource;
  tokenizer: Tokenizer;
  generation: number;
  /** Row of the prompts. */
  index: number;
  /** Tokens of prompt and completion, at most. */
  longest: number;
}

/** The prompt with as many inspirations as there is room for. */
function longestThatFits(most: number, longestPrompt: number, promptWith: (inspirations: number) => Prompt): Prompt {
  const prompt = promptWith(most);
  return most === 0 || prompt.ids.length <= longestPrompt
    ? prompt
    : longestThatFits(most - 1, longestPrompt, promptWith);
}

function textOf({ database }: ProgramSearch, program: Program, best: Program, others: Program[] = []): string {
  const inspirations = others.map((other) => ({ code: other.code, worth: database.worth(other) }));
  return editPrompt({
    code: program.code,
    worth: database.worth(program),
    best: database.worth(best),
    evaluation: program.evaluations.at(-1),
    inspirations,
  });
}

/** What samples have beside prompt and program. */
export interface SampleContext {
  tokenizer: Pick<Tokenizer, 'encode'> | null;
  /** What chance gets there; undefined where nobody asks. */
  reference?: ReferenceReturns | null;
  step: number;
}

/** A program as a completion that says nothing else: what reward functions see of one that plays again. */
export function programSample(
  code: string,
  { text, columns }: Pick<Prompt, 'text' | 'columns'>,
  { tokenizer, reference, step }: SampleContext,
): Sample {
  const completion = completionOf(code);
  const completionIds = tokenizer ? tokenizer.encode(completion, { addSpecialTokens: false }) : [];
  return {
    ...columns,
    prompt: text,
    completion,
    completionIds,
    code,
    problems: [],
    episode: null,
    step,
    ...(reference !== undefined && { reference }),
  };
}

function completionOf(code: string): string {
  return '```ts\n' + code + '\n```';
}

/** Tells the children of their parents, and what became of those that did not play themselves. */
export function fillInRelations(
  samples: readonly Sample[],
  replays: readonly Sample[],
  { search, plan }: RefinedGeneration,
  { children }: Assignment,
): void {
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
  samples.forEach((sample, i) => {
    sample.parent = parents[Math.floor(i / size)];
    const fate = children[i];
    if (typeof fate === 'string') return;
    if ('duplicateOf' in fate) sample.duplicateOf = fate.duplicateOf;
    else copyEpisode(sample, replays[fate.copyOf]);
  });
}

/** The same source from the same start plays the same episode. */
function copyEpisode(to: Sample, { episode, environmentError }: Sample): void {
  if (environmentError !== undefined) to.environmentError = environmentError;
  else to.episode = episode && new Episode(structuredClone({ ...episode }));
}
