import { createHmac, randomBytes } from 'node:crypto';

/** State that a strategy's `Math.random` starts from: four words of 32 bits. */
export type RandomState = readonly [number, number, number, number];

/** Characters that a secret has at least. */
const SHORTEST = 32;

let own: string | undefined;

/**
 * The secret of this process: what the environment variable `JOYLAB_SECRET`
 * says, else drawn when it is first asked for. With the same secret the same
 * seeds give the same `Math.random` in another process, too.
 */
export function processSecret(): string {
  return (own ??= givenSecret() ?? randomBytes(32).toString('hex'));
}

/** Returns what the environment variable `JOYLAB_SECRET` says. */
export function givenSecret(): string | undefined {
  const given = process.env.JOYLAB_SECRET;
  return given ? checkedSecret('JOYLAB_SECRET', given) : undefined;
}

/** A seed from 0 to 2³¹ − 1 for one purpose, which tells nothing of the secret, and which nobody finds who does not know it. */
export function secretSeed(secret: string, purpose: string, ...numbers: number[]): number {
  return (
    createHmac('sha256', secret)
      .update(`${purpose} ${numbers.join(' ')}`)
      .digest()
      .readUInt32LE(0) >>> 1
  );
}

/** Fails where a secret is none. */
export function checkedSecret(name: string, secret: unknown): string {
  if (typeof secret === 'string' && secret.length >= SHORTEST) return secret;
  throw new TypeError(
    `${name} must be a text of at least ${SHORTEST} characters that cannot be guessed, such as the output of "openssl rand -hex 32".`,
  );
}

/**
 * Returns what a strategy's `Math.random` starts from in the episode of a seed.
 *
 * A strategy can find out the state of its own generator, and seeds can be
 * guessed. So the state follows from a secret, too: who knows the state, the
 * seed of the episode and this code knows nothing of the secret, and so nothing
 * of another episode's stream; and the state tells nothing of the seed, from
 * which the environment draws.
 */
export function randomState(seed: number, secret = processSecret()): RandomState {
  const bytes = createHmac('sha256', secret).update(`Math.random of the episode ${seed}`).digest();
  return [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at)) as unknown as RandomState;
}
