import type { ReferenceReturns } from '../../environments/reference';
import type { RolloutEnvironment } from '../../environments/environment';
import { cellContext } from '../../display/cellContext';
import type { DisplayHandle } from '../../display';

/** A value that has a card, usually an environment. */
export interface HasCard {
  card(options?: { reference?: ReferenceReturns | null; measuring?: boolean }): unknown;
}

/** Milliseconds that a cell waits for the reference returns. */
const REFERENCE_TIMEOUT = 60_000;
/** Milliseconds after which the card says that they are being measured. */
const SAID_AFTER = 1000;

/**
 * Shows a card at once, and adds the returns of random and of constant actions
 * when they are measured.
 *
 * @param reference whether they are measured; by default only for built-in environments, as a server may be another person's
 */
export async function showCard(value: HasCard, reference: boolean | undefined): Promise<void> {
  const { display } = await import('../../display/index.js');
  if (!isPlayable(value) || !(reference ?? value.builtIn)) return void (await display(await value.card()));
  const { knownReferenceReturns } = await import('../../rollout/reference/index.js');
  const known = knownReferenceReturns(value);
  const shown = display(await value.card({ reference: known }));
  await shown;
  if (known === undefined) await addReference(value, shown);
}

/** Measures the returns and adds them to a card. The card itself says that this takes a while: a line below would leave an empty output. */
async function addReference(value: HasCard & RolloutEnvironment, shown: DisplayHandle): Promise<void> {
  const { progressAt } = await import('../../display/progress/progress.js');
  let said: Promise<void> | null = null;
  const say = async (): Promise<void> => void (await shown.update(await value.card({ measuring: true })));
  const place = { delay: SAID_AFTER, show: (stage: object | null) => void (stage && (said ??= say())) };
  let reference: ReferenceReturns | null = null;
  try {
    reference = await progressAt(place, () => measureInTime(value));
  } finally {
    await said;
    if (reference || said) await shown.update(await value.card({ reference }));
  }
}

function isPlayable(value: HasCard): value is HasCard & RolloutEnvironment {
  return 'vectorSources' in value;
}

/** Returns the reference returns; `null`, after a message, when measuring takes too long or fails. */
async function measureInTime(env: RolloutEnvironment): Promise<ReferenceReturns | null> {
  const { referenceReturns } = await import('../../rollout/reference/index.js');
  const { signal } = cellContext();
  try {
    return await referenceReturns(env, { signal: AbortSignal.any([signal, AbortSignal.timeout(REFERENCE_TIMEOUT)]) });
  } catch (error) {
    signal.throwIfAborted();
    const why =
      (error as Error).name === 'TimeoutError'
        ? `not within ${REFERENCE_TIMEOUT / 1000} s; await referenceReturns(…) takes its time`
        : (error as Error).message;
    console.log(`What chance gets in ${env.name} was not measured: ${why}.`);
    return null;
  }
}
