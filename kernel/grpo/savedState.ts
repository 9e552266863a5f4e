import { describe, isObject } from '../models/jsonFile';
import { checkedSecret } from '../strategy/secret';
import type { SavedRollouts } from './scoredRollouts';

type Accepts = (value: unknown) => boolean;

const listOf = (accepts: Accepts): Accepts => (value) => Array.isArray(value) && value.every(accepts);
const isNumber: Accepts = (value) => Number.isFinite(value);
const indexBelow = (count: number): Accepts => (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < count;

/**
 * Checks what a checkpoint keeps of a GRPO run. It may have come from elsewhere.
 *
 * @param vocabSize tokens of the model
 */
export function checkSavedState({ rollouts, entropy, secret }: Record<string, unknown>, vocabSize: number): void {
  if (!Array.isArray(rollouts)) throw new Error(`the state's rollouts must be a list, not ${describe(rollouts)}`);
  for (const entry of rollouts) checkRollouts(entry, vocabSize);
  const isEntropy = (entropy ?? null) === null || (isObject(entropy) && isNumber(entropy.entropyCoef) && (entropy.lastEntropy === null || isNumber(entropy.lastEntropy)));
  if (!isEntropy) throw new Error(`the state's entropy must be { entropyCoef, lastEntropy }, not ${describe(entropy)}`);
  // Older checkpoints have none.
  if ((secret ?? null) !== null) checkedSecret("the state's secret", secret);
}

function checkRollouts(value: unknown, vocabSize: number): void {
  if (!isObject(value)) throw new Error(`the state's rollouts must be objects, not ${describe(value)}`);
  const { promptIds, completionIds } = value as Partial<SavedRollouts>;
  const sequences = listOf(listOf(indexBelow(vocabSize)));
  const kinds: Record<keyof SavedRollouts, Accepts> = {
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
}
