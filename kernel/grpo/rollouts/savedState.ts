import { describe, isObject } from '../../models/checkpoint/jsonFile';
import { checkedSecret } from '../../strategy/secret';
import type { Evaluation, Program } from '../refinement/program';
import type { SavedRunSearch } from '../refinement/runSearch';
import type { SavedGeneration } from './generations';
import {
  isNumber,
  isText,
  isWhole,
  listOf,
  objectOf,
  optional,
  orNull,
  recordOf,
  type Accepts,
} from '../../training/checkpoint/shapes';
import type { Imitations } from '../update/preparedStep';

const indexBelow =
  (count: number): Accepts =>
  (value) =>
    isWhole(value) && (value as number) < count;

/**
 * Checks the state of a GRPO run in a checkpoint, which may be damaged or of
 * another program.
 *
 * @param vocabSize number of the model's tokens
 * @throws Error that names the part which is not valid
 */
export function checkSavedState(
  { rollouts, search, entropy, secret }: Record<string, unknown>,
  vocabSize: number,
): void {
  if (!Array.isArray(rollouts)) throw new Error(`the state's rollouts must be a list, not ${describe(rollouts)}`);
  for (const entry of rollouts) checkRollouts(entry, vocabSize);
  const isEntropy = orNull(objectOf({ entropyCoef: isNumber, lastEntropy: orNull(isNumber) }));
  if (!isEntropy(entropy ?? null))
    throw new Error(`the state's entropy must be { entropyCoef, lastEntropy }, not ${describe(entropy)}`);
  // Older checkpoints have neither, and runs without refinement no search.
  if ((search ?? null) !== null) checkSearch(search);
  if ((secret ?? null) !== null) checkedSecret("the state's secret", secret);
}

function checkRollouts(value: unknown, vocabSize: number): void {
  if (!isObject(value)) throw new Error(`the state's rollouts must be objects, not ${describe(value)}`);
  const { promptIds, completionIds } = value as Partial<SavedGeneration>;
  const sequences = listOf(listOf(indexBelow(vocabSize)));
  const kinds: Record<Exclude<keyof SavedGeneration, 'imitations'>, Accepts> = {
    generation: indexBelow(Infinity),
    promptIds: sequences,
    completionIds: sequences,
    promptOf: (of) => listOf(indexBelow(promptIds?.length ?? 0))(of),
    logprobs: listOf(listOf(isNumber)),
    terminated: listOf((ended) => typeof ended === 'boolean'),
    advantages: listOf(isNumber),
  };
  for (const [name, accepts] of Object.entries(kinds)) {
    const list = value[name];
    const isPerCompletion = name !== 'generation' && name !== 'promptIds';
    if (!accepts(list) || (isPerCompletion && (list as unknown[]).length !== completionIds!.length)) {
      throw new Error(`the state's rollouts have ${name} = ${describe(list)}, which a run of this model does not save`);
    }
  }
  checkImitations(value.imitations, vocabSize);
}

function checkImitations(value: unknown, vocabSize: number): void {
  if (value === undefined) return;
  const { promptIds, completionIds, promptOf, advantages } = (isObject(value) ? value : {}) as Partial<Imitations>;
  const sequences = listOf(listOf(indexBelow(vocabSize)));
  const isOne =
    sequences(promptIds) &&
    sequences(completionIds) &&
    listOf(indexBelow(promptIds!.length))(promptOf) &&
    listOf(isNumber)(advantages);
  if (!isOne || promptOf!.length !== completionIds!.length || advantages!.length !== completionIds!.length) {
    throw new Error(
      `the state's rollouts have imitations = ${describe(value)}, which a run of this model does not save`,
    );
  }
}

const isEvaluation = objectOf({
  environmentSeed: isWhole,
  fitness: isNumber,
  rewards: recordOf(orNull(isNumber)),
  return: isNumber,
  steps: isWhole,
  end: objectOf({ reason: isText, message: optional(isText), line: optional(isWhole) }),
  actionShares: recordOf(isNumber),
  trace: isText,
} satisfies Record<keyof Evaluation, Accepts>);

const isProgram = objectOf({
  id: isWhole,
  code: isText,
  parent: orNull(isWhole),
  generation: (value) => value === -1 || isWhole(value),
  islands: listOf(isWhole),
  evaluations: listOf(isEvaluation),
  cell: isText,
  gain: orNull(isNumber),
} satisfies Record<keyof Program, Accepts>);

const searchKinds: Record<keyof SavedRunSearch, Accepts> = {
  programs: listOf(isProgram),
  ancestors: listOf(isProgram),
  known: recordOf(isWhole),
  nextId: isWhole,
  episodes: isWhole,
  winner: orNull(objectOf({ id: isWhole, fitness: isNumber, starts: isWhole })),
  rewards: isText,
};

function checkSearch(value: unknown): void {
  if (!isObject(value)) throw new Error(`the state's search must be an object, not ${describe(value)}`);
  for (const [name, accepts] of Object.entries(searchKinds)) {
    if (!accepts(value[name]))
      throw new Error(
        `the state's search has ${name} = ${describe(value[name])}, which a run with refinement does not save`,
      );
  }
}
