import { createHash } from 'node:crypto';
import { fingerprint } from '../../engines/trl/fingerprint';
import { isInWorker } from '../../engines/trl/model';
import type { CausalLM } from '../../models/causalLM';
import { GgufModel } from '../../models/gguf/model';
import { givenSecret, secretSeed } from '../../strategy/secret';
import { deriveSeed } from '../../training/seeds';

/** Bytes of each tensor in the digest: enough, as no two models have the same beginnings of all tensors. */
const DIGESTED = 65_536;

/**
 * Returns the secret of a run, from which environment seeds and the strategies'
 * random numbers follow: `JOYLAB_SECRET`, else a digest of the model's weights
 * when the run begins.
 *
 * #### Notes
 * The same notebook gives the same run on every machine, and yet no strategy
 * that the model writes can predict the environment: from the seed alone it
 * could (42 is easily guessed, and the generators are public), but no model
 * knows a digest of its own weights.
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

/** Returns the sampling seed of a group of a generation. */
export function samplingSeed(seed: number, generation: number, group: number): number {
  return deriveSeed(seed, 'sampling', generation, group);
}

/** Returns the environment seed of the i-th start of a generation: first those of its groups. It follows from the secret, too, since strategies see the state after a reset. */
export function environmentSeed(secret: string, seed: number, generation: number, index: number): number {
  return secretSeed(secret, 'environment', seed, generation, index);
}

/** Returns the environment seed of the i-th start of the validation: training and evaluations have others. */
export function validationSeed(secret: string, seed: number, index: number): number {
  return secretSeed(secret, 'validation environment', seed, index);
}
