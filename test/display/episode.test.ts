import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { episodeBundle, episodeData } from '../../kernel/display/pictures/episode';
import { gif } from '../../kernel/display/pictures/gif';
import type { MimeBundle } from '../../kernel/display/cellContext';
import { EPISODE_MIME, type EpisodeData } from '../../kernel/display/mime';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import { Episode, executeWithTimeLimit, replay, type EpisodeFrames } from '../../kernel/rollout';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';
import { followBall } from '../rollout/strategies';

let env: AtariEnvironment;
let episode: Episode;
let frames: EpisodeFrames;
before(async () => {
  env = await openenv('atari', { game: 'breakout' });
  episode = await executeWithTimeLimit(followBall, env, { seed: 1, maxSteps: 500 });
  frames = await replay(episode, env, { every: 1 });
});
after(() => env.close());

/** The notebook's way with a displayed object. */
function bundleOf(value: object): Promise<MimeBundle> {
  return (value as unknown as Record<symbol, () => Promise<MimeBundle>>)[Symbol.for('Jupyter.display')]();
}

/** Frames as the player reads them. */
function inflated({ frames, frameCount, width, height }: EpisodeData): Uint8Array[] {
  const bytes = inflateSync(Buffer.from(frames, 'base64'));
  const size = width * height;
  assert.equal(bytes.length, frameCount * size);
  for (let i = size; i < bytes.length; i++) bytes[i] ^= bytes[i - size];
  return Array.from({ length: frameCount }, (_, i) => new Uint8Array(bytes.subarray(i * size, (i + 1) * size)));
}

function decode(file: Uint8Array): { loop: number; frames: { duration: number; size: number[]; sha256: string }[] } {
  const script = path.join(packageRoot, 'test', 'display', 'decode_gif.py');
  return JSON.parse(execFileSync(pythonPath(), [script], { input: file, encoding: 'utf8' }));
}

function rgbHash(frame: Uint8Array, palette: Uint8Array): string {
  const rgb = Buffer.alloc(frame.length * 3);
  frame.forEach((index, i) => rgb.set(palette.subarray(3 * index, 3 * index + 3), 3 * i));
  return createHash('sha256').update(rgb).digest('hex');
}

test('the data for the player: frames come back as they were', () => {
  const data = episodeData(episode, frames);
  assert.deepEqual(
    inflated(data),
    frames.frames.map((frame) => new Uint8Array(frame)),
  );
  assert.equal(data.frameCount, 501);
  assert.deepEqual(
    [data.environment, data.seed, data.every, data.fps, data.width, data.height],
    ['breakout', 1, 1, 15, 160, 210],
  );
  assert.deepEqual(
    [data.actions, data.rewards, data.lives, data.actionNames],
    [episode.actions, episode.rewards, episode.lives, env.actions],
  );
  assert.equal(data.end, 'truncated: 500 steps');
  assert.deepEqual(new Uint8Array(Buffer.from(data.palette, 'base64')), frames.palette);
  assert.doesNotThrow(() => structuredClone(JSON.parse(JSON.stringify(data))));
});

test("a GIF has exactly the frames' pixels", () => {
  for (const take of [1, 7]) {
    const chosen = frames.frames.filter((_, i) => i % take === 0 || i === frames.frames.length - 1);
    const decoded = decode(gif(frames, { take, delay: 1000 / 15 }));
    assert.equal(decoded.loop, 0, 'plays for ever');
    // A decoder may show a frame that changes nothing together with the one before it.
    const wanted = chosen.map((frame) => rgbHash(frame, frames.palette));
    const distinct = (hashes: string[]): string[] => hashes.filter((hash, i) => hash !== hashes[i - 1]);
    assert.deepEqual(distinct(decoded.frames.map(({ sha256 }) => sha256)), distinct(wanted));
    const duration = decoded.frames.slice(0, -1).reduce((sum, frame) => sum + frame.duration, 0);
    assert.ok(Math.abs(duration - 500 * (1000 / 15)) < 300, `${duration} ms of 500 steps at 15 a second`);
  }
});

test('an episode of 500 steps takes less than 200 KB in a notebook', async () => {
  const bundle = await bundleOf(episode);
  assert.deepEqual(Object.keys(bundle), [EPISODE_MIME, 'text/html', 'text/plain']);
  assert.ok(JSON.stringify(bundle).length < 200_000, `${JSON.stringify(bundle).length} bytes`);
  const data = bundle[EPISODE_MIME] as EpisodeData;
  assert.equal(data.every, 1, 'every step is there');
  assert.deepEqual(
    inflated(data),
    frames.frames.map((frame) => new Uint8Array(frame)),
  );
  assert.equal(bundle['text/plain'], `breakout · seed 1 · 500 steps · score ${episode.return} · truncated: 500 steps`);
});

test('the HTML holds a GIF of the whole episode and its caption', async () => {
  const html = (await bundleOf(episode))['text/html'] as string;
  const [, source] = /<img [^>]*src="data:image\/gif;base64,([^"]+)"/.exec(html)!;
  const decoded = decode(Buffer.from(source, 'base64'));
  assert.ok(decoded.frames.length > 100);
  assert.equal(decoded.frames[0].sha256, rgbHash(frames.frames[0], frames.palette));
  assert.equal(decoded.frames.at(-1)!.sha256, rgbHash(frames.frames.at(-1)!, frames.palette));
  assert.match(html, /<figcaption>breakout · seed 1 · 500 steps · score \d+ · truncated: 500 steps<\/figcaption>/);
  assert.doesNotMatch(html, /<script|<video|onerror/);
});

test('a longer or busier episode leaves frames out, at equal distances', () => {
  // The worst there is: noise, in 16 colours.
  let random = 1;
  const pixel = (): number => ((random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff) >> 16) & 30;
  const noise = Array.from({ length: 60 }, () => Uint8Array.from({ length: 160 * 210 }, pixel));
  const record = {
    ...episode,
    actions: episode.actions.slice(0, 59),
    rewards: episode.rewards.slice(0, 59),
    lives: episode.lives.slice(0, 59),
  };
  const bundle = episodeBundle(record, { ...frames, frames: noise });
  const data = bundle[EPISODE_MIME] as EpisodeData;
  assert.ok(JSON.stringify(bundle).length < 200_000, `${JSON.stringify(bundle).length} bytes`);
  assert.ok(data.every > 1);
  assert.deepEqual(
    inflated(data),
    noise.filter((_, i) => i % data.every === 0),
  );
  assert.equal(data.fps, 15 / data.every);
});

test('text from a strategy is shown as text', () => {
  const hostile = {
    ...episode,
    end: { reason: 'error' as const, message: 'Error: <img src=x onerror="alert(1)">', line: 2 },
  };
  const bundle = episodeBundle(hostile, { ...frames, frames: frames.frames.slice(0, 2) });
  assert.doesNotMatch(bundle['text/html'] as string, /<img src=x|"alert/);
  assert.match(bundle['text/plain'] as string, /error: Error: <img src=x onerror="alert\(1\)"> \(line 2\)$/);
});

test('an episode that was read back says how to see it, then plays', async () => {
  const read = new Episode(JSON.parse(JSON.stringify(episode)));
  const text = await bundleOf(read);
  assert.deepEqual(Object.keys(text), ['text/plain']);
  assert.match(text['text/plain'] as string, /replay\(episode, env\)/);
  await replay(read, env);
  const [seen, original] = [await bundleOf(read), await bundleOf(episode)];
  assert.deepEqual(seen, original);
});

test('an episode that cannot be played again says why', async () => {
  const played = await executeWithTimeLimit(followBall, env, { maxSteps: 5 });
  played.lives[2] = 77;
  const bundle = await bundleOf(played);
  assert.match(bundle['text/plain'] as string, /could not be made again: .*step 3 left 5 lives, recorded are 77/s);
});

test('an episode without steps shows its start', async () => {
  const broken = await executeWithTimeLimit('nonsense(', env);
  const bundle = await bundleOf(broken);
  assert.equal((bundle[EPISODE_MIME] as EpisodeData).frameCount, 1);
  assert.match(
    bundle['text/plain'] as string,
    /^breakout · seed 0 · 0 steps · score 0 · error: SyntaxError: .* \(line 1\)$/,
  );
});
