/** A seeded stream of random numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** Returns a number that is uniform in [0, 1), with 53 random bits. */
  next(): number;
}

/**
 * Returns a generator sfc32, its state filled from the integers `seed` and
 * `stream`. Different streams of one seed are independent: row i of a batch
 * draws from stream i.
 */
export function seededRandom(seed: number, stream = 0): Random {
  let [a, b, c, counter] = [mix(seed | 0), mix(Math.floor(seed / 2 ** 32) ^ 0x9e3779b9), mix(stream ^ 0x85ebca6b), 1];
  const draw = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) draw();
  return { next: () => ((draw() >>> 5) * 67108864 + (draw() >>> 6)) / 9007199254740992 };
}

/** Spreads neighbouring seeds over all bits. */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
