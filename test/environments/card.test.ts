import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { ENVIRONMENT_MIME, type EnvironmentData } from '../../kernel/display/mime';
import { ATARI_PALETTE, environmentReader } from '../../kernel/environments';
import { environmentBundle } from '../../kernel/environments/card';
import { AtariFrame } from '../../kernel/environments/atari/frame';
import { episodeBundle } from '../../kernel/display/episode';
import { png } from '../../kernel/environments/image';
import { pythonPath } from '../../kernel/setup/python';

const picture = { width: 3, height: 2, palette: ATARI_PALETTE, pixels: Uint8Array.of(0, 66, 200, 14, 132, 254) };
const breakout = environmentReader('atari', { game: 'breakout' });

test('a PNG holds the pixels in their colours, enlarged', () => {
  const program = `
import base64, io, json, sys
from PIL import Image
image = Image.open(io.BytesIO(base64.b64decode(sys.stdin.read()))).convert("RGB")
print(json.dumps([image.size, [list(image.getpixel((x, y))) for y in range(image.height) for x in range(image.width)]]))`;
  const input = Buffer.from(png(picture, { width: 9, height: 4 })).toString('base64');
  const [size, pixels] = JSON.parse(execFileSync(pythonPath(), ['-c', program], { input }).toString());
  assert.deepEqual(size, [9, 4]);
  for (let y = 0; y < 4; y++) {
    for (let x = 0; x < 9; x++) {
      const code = picture.pixels[3 * (y >> 1) + Math.floor(x / 3)];
      assert.deepEqual(pixels[9 * y + x], [...ATARI_PALETTE.subarray(3 * code, 3 * code + 3)]);
    }
  }
});

test('the card: data for the extension, HTML, text', () => {
  const bundle = environmentBundle({ environment: 'atari', name: 'breakout', options: { game: 'breakout', mode: undefined, frameSkip: 4 }, ...breakout, frame: picture });
  const data = bundle[ENVIRONMENT_MIME] as EnvironmentData;
  assert.deepEqual(JSON.parse(JSON.stringify(data)), data, 'plain data');
  assert.deepEqual(data.actions, ['NOOP', 'RIGHT', 'LEFT']);
  assert.deepEqual(data.options, { game: 'breakout', frameSkip: 4 });
  assert.deepEqual(data.variables.map(({ name, minimum, maximum }) => [name, minimum, maximum]), [['ball_x', 0, 159], ['ball_y', 0, 209], ['paddle_x', 0, 159]]);
  const html = String(bundle['text/html']);
  assert.match(html, /<img alt="First frame of breakout" src="data:image\/png;base64,/);
  for (const text of ['NOOP', 'LEFT', 'ball_x', '0 … 159', 'frameSkip: 4']) assert.ok(html.includes(text), text);
  assert.doesNotMatch(html, /color|background/, "the page's own colours");
  assert.match(String(bundle['text/plain']), /^breakout \(atari\)\nactions: NOOP, RIGHT, LEFT\nstate.ball_x: 0 … 159, /);
});

test("a game's pictures have a television's 4:3, as the player shows them; others have square pixels", async () => {
  const screen = new Uint8Array(160 * 210);
  const file = Buffer.from(await new AtariFrame(Promise.resolve(screen), ATARI_PALETTE).png());
  assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [560, 420]);
  const about = { environment: 'atari', name: 'pong', options: {}, actions: [], stateVariables: [] };
  const card = environmentBundle({ ...about, frame: { width: 160, height: 210, palette: ATARI_PALETTE, pixels: screen } });
  assert.match(String(card['text/html']), /width="280" height="210"/);
  assert.match(String(environmentBundle({ ...about, frame: picture })['text/html']), /width="3" height="2"/);
  const record = { environment: 'atari', options: { game: 'pong' }, seed: 1, actionNames: [], actions: [], rewards: [], lives: [], states: {}, end: { reason: 'aborted' as const } };
  const film = episodeBundle(record, { width: 160, height: 210, palette: ATARI_PALETTE, every: 1, frames: [screen] });
  assert.match(String(film['text/html']), /width="560" height="420"/);
});

test("a server's own words cannot become markup", () => {
  const bundle = environmentBundle({ environment: 'http://x', name: '<b>"x"</b>', description: '<script>', options: {}, actions: ["<i>'"], stateVariables: [] });
  assert.doesNotMatch(String(bundle['text/html']), /<b>|<script>|<i>/);
});
