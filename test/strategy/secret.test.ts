import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createLockedDownFunction } from '../../kernel/strategy';
import { seededRandom } from '../../kernel/common/random';

const DRAW = 'function strategy() { return [Math.random(), Math.random(), Math.random()]; }';

async function draws(seed: number): Promise<number[]> {
  const locked = await createLockedDownFunction(DRAW, { seed });
  const numbers = locked();
  locked.dispose();
  return numbers;
}

/** First numbers of generators that could have a seed as their state. */
const generators: ((seed: number) => number)[] = [
  (seed) => {
    let t = (seed + 0x6d2b79f5) | 0;
    t = Math.imul(t ^ (t >>> 15), 1 | t);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  },
  (seed) => Math.floor(seededRandom(seed).next() * 2 ** 32) / 2 ** 32,
  (seed) => sfc32(seed, 0, 0, 1),
  (seed) => sfc32(0, seed, 0, 1),
  (seed) => sfc32(seed, seed, seed, 1),
];

function sfc32(a: number, b: number, c: number, counter: number): number {
  let sum = 0;
  for (let i = 0; i < 16; i++) {
    sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
  }
  return (sum >>> 0) / 2 ** 32;
}

test('what a strategy draws is not what any seed gives', async () => {
  const first = new Set<number>();
  for (const seed of [0, 1, 7, 42]) for (const number of await draws(seed)) first.add(number);
  assert.equal(first.size, 12);
  for (let seed = 0; seed < 1 << 17; seed++) {
    for (const generator of generators) assert.ok(!first.has(generator(seed)), `seed ${seed}`);
  }
});

/** What a process of its own draws, or the error it ends with. */
function inProcess(secret: string | undefined): string {
  const program = `require(${JSON.stringify(require.resolve('../../kernel/strategy'))}).createLockedDownFunction(${JSON.stringify(DRAW)}, { seed: 5 }).then((locked) => console.log(locked().join()), ({ message }) => console.log(message)).finally(() => process.exit());`;
  const env = { ...process.env, JOYLAB_SECRET: secret };
  return spawnSync(process.execPath, ['-e', program], { env, encoding: 'utf8' }).stdout.trim();
}

test('another process draws the same numbers where it has the same secret', () => {
  const secrets = ['s'.repeat(40), 's'.repeat(40), 't'.repeat(40), undefined, undefined];
  const [one, again, other, ...own] = secrets.map(inProcess);
  assert.match(one, /^0\.\d+,0\.\d+,0\.\d+$/);
  assert.equal(again, one);
  assert.equal(new Set([one, other, ...own]).size, 4);
  assert.match(inProcess('too short'), /^JOYLAB_SECRET must be a text of at least 32 characters/);
});
