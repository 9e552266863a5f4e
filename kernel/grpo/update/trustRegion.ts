import type { Tensor } from '../../onnx/tensor';

/** Halvings of an update, at most. */
const HALVINGS = 6;

/** What became of an update. */
export interface Held {
  /** How far the policy is from the one before, in nats per token. */
  kl: number;
  /** The share of the update that was made. */
  share: number;
}

/**
 * Makes an update, and halves it until the policy is near enough to the one
 * before: the line search of TRPO, for the step of any optimizer. What is left
 * after a few halvings is made.
 *
 * @param parameters what `update` changes, in place
 * @param distance resolves to the distance of the policies as they are then; where it fails, the parameters are as they were
 */
export async function updateWithin(
  targetKl: number,
  parameters: ReadonlyMap<string, Tensor>,
  { update, distance }: { update(): void; distance(): Promise<number> },
): Promise<Held> {
  const before = new Map([...parameters].map(([name, { data }]) => [name, data.slice()]));
  update();
  try {
    let kl = await distance();
    let share = 1;
    for (let halvings = 0; !(kl <= targetKl) && halvings < HALVINGS; halvings++) {
      for (const [name, { data }] of parameters) {
        const from = before.get(name)!;
        for (let i = 0; i < data.length; i++) data[i] = from[i] + (data[i] - from[i]) / 2;
      }
      share /= 2;
      kl = await distance();
    }
    return { kl, share };
  } catch (error) {
    for (const [name, { data }] of parameters) data.set(before.get(name)!);
    throw error;
  }
}

/**
 * Returns the KL divergence of two policies per token, estimated from tokens that
 * the old one has sampled: the mean of r − 1 − log r, r being the ratio of their
 * probabilities (http://joschu.net/blog/kl-approx.html).
 */
export function sampledKl(
  old: readonly ArrayLike<number>[],
  now: readonly ArrayLike<number>[],
  masks: readonly ArrayLike<number>[],
): number {
  let [sum, count] = [0, 0];
  masks.forEach((mask, i) => {
    for (let t = 0; t < mask.length; t++) {
      const log = now[i][t] - old[i][t];
      sum += mask[t] * (Math.exp(log) - 1 - log);
      count += mask[t];
    }
  });
  return sum / Math.max(count, 1);
}
