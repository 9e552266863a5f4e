import type { ReferenceReturns } from '../../environments/reference';
import type { RolloutEnvironment } from '../../environments/environment';
import { host } from '../../display/host';

/** A value that can be shown as a card: an environment, mostly. */
export interface HasCard {
  card(options?: { reference?: ReferenceReturns | null }): unknown;
}

/** Milliseconds that a cell waits for what chance gets. */
const PATIENCE = 60_000;

/**
 * Shows a card at once; what chance gets is added when it was measured.
 *
 * @param reference whether it is measured; by default where no server is asked, which may be somebody else's
 */
export async function showCard(value: HasCard, reference: boolean | undefined): Promise<void> {
  const { display } = await import('../../display/index.js');
  if (!isPlayable(value) || !(reference ?? value.builtIn)) return void (await display(await value.card()));
  const { knownReferenceReturns } = await import('../../rollout/reference/index.js');
  const known = knownReferenceReturns(value);
  const shown = display(await value.card({ reference: known }));
  await shown;
  const measured = known === undefined ? await measureInTime(value) : null;
  if (measured) await shown.update(await value.card({ reference: measured }));
}

function isPlayable(value: HasCard): value is HasCard & RolloutEnvironment {
  return 'vectorSources' in value;
}

/** Returns what chance gets. A card is shown without it where that takes long, or fails. */
async function measureInTime(env: RolloutEnvironment): Promise<ReferenceReturns | null> {
  const { referenceReturns } = await import('../../rollout/reference/index.js');
  const { signal } = host();
  try {
    return await referenceReturns(env, { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) });
  } catch (error) {
    signal.throwIfAborted();
    const why =
      (error as Error).name === 'TimeoutError'
        ? `not within ${PATIENCE / 1000} s; await referenceReturns(…) takes its time`
        : (error as Error).message;
    console.log(`What chance gets in ${env.name} was not measured: ${why}.`);
    return null;
  }
}
