import { createHash } from 'node:crypto';
import type { CausalLM } from '../models/causalLM';
import { GgufModel } from '../models/gguf/model';
import { givenSecret } from '../strategy/secret';

/** Bytes of each tensor that are looked at: enough, as no two models agree in the beginnings of all. */
const LOOKED_AT = 65_536;

/**
 * The secret of a run, from which starts and random numbers of strategies
 * follow: what `JOYLAB_SECRET` says, else a digest of the model's weights as
 * they are when the run begins.
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
    hash.update(new Uint8Array(data.buffer, data.byteOffset, Math.min(data.byteLength, LOOKED_AT)));
  }
}
