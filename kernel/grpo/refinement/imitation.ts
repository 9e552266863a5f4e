import { seededRandom } from '../../common/random';
import { deriveSeed } from '../../training/seeds';
import type { StepContext } from '../context';
import { groupsPerGeneration } from '../rollouts/prompts';
import type { Imitations } from '../update/preparedStep';
import { completionText, editTextOf } from './edits';
import type { Program } from './program';
import type { ProgramSearch } from './search';

/** A program to learn from: as an edit of its parent, or, without one, as a program from nothing. */
export interface Imitation {
  parent: Program | null;
  program: Program;
}

/** Episodes that a program has played before it is imitated, at least: a single good one may be luck. */
const KNOWN = 2;
/** Preference for programs of high rank, as {@link DatabaseSettings.selectionPressure}. */
const PRESSURE = 3;

/**
 * Draws the programs that a step learns from once more, as in self-imitation
 * learning (Oh et al., 2018): programs that several episodes have shown to be
 * good, half of them as answers to the environment's prompt, half as edits of
 * their parents, if they are better than these. Returns none when no program is
 * known to be better than the mean of all.
 */
export function imitationsOf({ database, settings }: ProgramSearch, count: number, generation: number): Imitation[] {
  const { mean } = database.estimates;
  const good = database
    .best()
    .filter((program) => program.evaluations.length >= KNOWN && database.worth(program) > mean);
  const edits = good.flatMap((program): Imitation[] => {
    const parent = program.parent === null ? undefined : database.get(program.parent);
    // A parent that has left the archive was among the worst.
    const isBetter = parent && (!database.has(parent.id) || database.worth(program) > database.worth(parent));
    return isBetter ? [{ parent, program }] : [];
  });
  const random = seededRandom(deriveSeed(settings.seed, 'imitation', generation));
  const draw = <T>(list: readonly T[]): T[] =>
    list.length > 0 ? [list[Math.floor(list.length * random.next() ** PRESSURE)]] : [];
  return Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? draw(good).map((program): Imitation => ({ parent: null, program })) : draw(edits),
  ).flat();
}

/** Returns the imitations of a step as prompts and completions, without those longer than `maxSeqLength`; undefined when nothing is learned. */
export function imitatedCompletions(
  search: ProgramSearch,
  generation: number,
  { config, prompts, tokenizer, model }: Pick<StepContext, 'config' | 'prompts' | 'tokenizer' | 'model'>,
): Imitations | undefined {
  const { imitations, imitationAdvantage } = search.settings;
  // When nothing is learned, nothing is imitated.
  if (config.learningRate === 0 || imitations === 0) return undefined;
  const row = generation * groupsPerGeneration(config);
  const end = typeof tokenizer.eosTokenId === 'number' ? [tokenizer.eosTokenId] : [];
  const fitting = imitationsOf(search, imitations, generation)
    .map(({ parent, program }) => ({
      prompt: (parent ? prompts.edited(row, editTextOf(search, parent)) : prompts.at(row)).ids,
      completion: [...tokenizer.encode(completionText(program.code), { addSpecialTokens: false }), ...end],
    }))
    .filter(({ prompt, completion }) => prompt.length + completion.length <= model.maxSeqLength);
  return {
    promptIds: fitting.map(({ prompt }) => prompt),
    completionIds: fitting.map(({ completion }) => completion),
    promptOf: fitting.map((_, i) => i),
    advantages: fitting.map(() => imitationAdvantage),
  };
}
