import { createHash } from 'node:crypto';
import { fingerprint } from '../../engines/trl/fingerprint';
import { isInWorker } from '../../engines/trl/model';
import type { CausalLM } from '../../models/causalLM';
import { GgufModel } from '../../models/gguf/model';
import { givenSecret, secretSeed } from '../../strategy/secret';
import { deriveSeed } from '../../training/seeds';

/** Bytes of each tensor that the digest takes in: enough, as no two models agree in the beginnings of all. */
const DIGESTED = 65_536;

/**
 * Returns the secret of a run, from which starts and random numbers of
 * strategies follow: what `JOYLAB_SECRET` says, else a digest of the model's
 * weights as they are when the run begins.
 *
 * #### Notes
 * The same notebook gives the same run on every machine, and yet no strategy
 * that the model writes can know what comes: with the seed alone it could (42
 * is soon guessed, and the generators are public), but no model knows a digest
 * of its own weights.
 */
export function runSecret(model: CausalLM): string {
  const given = givenSecret();
  if (given !== undefined) return given;
  if (model instanceof GgufModel) return model.fingerprint();
  if (isInWorker(model)) return fingerprint(model.held);
  const { weights, adapter } = model.parameters;
  const hash = createHash('sha256');
  for (const name of [...weights.keys()].sort()) add(name, weights.get(name)!.data);
  for (const name of [...(adapter?.pairs.keys() ?? [])].sort()) {
    const { a, b } = adapter!.pairs.get(name)!;
    add(`${name} a`, a.data);
    add(`${name} b`, b.data);
  }
  return hash.digest('hex');

  function add(name: string, data: ArrayBufferView): void {
    hash.update(`${name}:${data.byteLength}:`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, Math.min(data.byteLength, DIGESTED)));
  }
}

/** Returns the seed by which a group of a generation is sampled. */
export function samplingSeed(seed: number, generation: number, group: number): number {
  return deriveSeed(seed, 'sampling', generation, group);
}

/** Returns the seed of the environment for the i-th start of a generation: first those of its groups. Strategies see where they start: so it follows from the secret, too. */
export function environmentSeed(secret: string, seed: number, generation: number, index: number): number {
  return secretSeed(secret, 'environment', seed, generation, index);
}

/** Returns the seed of the i-th start on which programs are chosen: none that training or an evaluation has. */
export function validationSeed(secret: string, seed: number, index: number): number {
  return secretSeed(secret, 'validation environment', seed, index);
}
