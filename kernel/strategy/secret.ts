import { createHmac, randomBytes } from 'node:crypto';

/** State that a strategy's `Math.random` starts from: four words of 32 bits. */
export type RandomState = readonly [number, number, number, number];

/** Shortest secret, in characters. */
const SHORTEST = 32;

let own: string | undefined;

/**
 * Returns the secret of this process: the environment variable `JOYLAB_SECRET`, else
 * drawn at the first call. With the same secret the same seeds give the same
 * `Math.random` in another process, too.
 */
export function processSecret(): string {
  return (own ??= givenSecret() ?? randomBytes(32).toString('hex'));
}

/** Returns the environment variable `JOYLAB_SECRET`, where it is set. Throws a TypeError when it is too short. */
export function givenSecret(): string | undefined {
  const given = process.env.JOYLAB_SECRET;
  return given ? checkedSecret('JOYLAB_SECRET', given) : undefined;
}

/** Returns a seed from 0 to 2³¹ − 1 for one purpose. It reveals nothing of the secret, and cannot be computed without it. */
export function secretSeed(secret: string, purpose: string, ...numbers: number[]): number {
  return (
    createHmac('sha256', secret)
      .update(`${purpose} ${numbers.join(' ')}`)
      .digest()
      .readUInt32LE(0) >>> 1
  );
}

/** Returns a secret. Throws a TypeError when it is not a text of at least 32 characters. */
export function checkedSecret(name: string, secret: unknown): string {
  if (typeof secret === 'string' && secret.length >= SHORTEST) return secret;
  throw new TypeError(
    `${name} must be a text of at least ${SHORTEST} characters that cannot be guessed, such as the output of "openssl rand -hex 32".`,
  );
}

/**
 * Returns the state that a strategy's `Math.random` starts from in the episode of a
 * seed.
 *
 * A strategy can find out the state of its own generator, and seeds can be guessed. So
 * the state follows from a secret, too: who knows the state, the seed of the episode
 * and this code knows nothing of the secret, and so nothing of another episode's
 * stream; and the state reveals nothing of the seed, from which the environment draws.
 */
export function randomState(seed: number, secret = processSecret()): RandomState {
  const bytes = createHmac('sha256', secret).update(`Math.random of the episode ${seed}`).digest();
  return [0, 4, 8, 12].map((at) => bytes.readUInt32LE(at)) as unknown as RandomState;
}
