import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { ENVIRONMENT_MIME, EPISODE_MIME, type EnvironmentData, type EpisodeData } from '../../kernel/display/mime';
import { ATARI_PALETTE, atariReader, openenv } from '../../kernel/environments';
import { environmentBundle } from '../../kernel/environments/card/card';
import { AtariFrame } from '../../kernel/environments/atari/frame';
import { atariScreen } from '../../kernel/environments/atari/screen';
import { episodeBundle } from '../../kernel/display/pictures/episode';
import { png } from '../../kernel/environments/card/image';
import { hasPicture, observationPicture, renderedPicture } from '../../kernel/environments/card/picture';
import { Environment, serve } from '../../kernel/openenv';
import { startPythonServer } from '../openenv/pythonServer';
import { pythonPath } from '../../kernel/common/packagePaths';

const picture = { width: 3, height: 2, palette: ATARI_PALETTE, pixels: Uint8Array.of(0, 66, 200, 14, 132, 254) };
const breakout = atariReader({ game: 'breakout' });

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
  const bundle = environmentBundle({
    environment: 'atari',
    name: 'breakout',
    options: { game: 'breakout', mode: undefined, frameSkip: 4 },
    ...breakout,
    frame: picture,
  });
  const data = bundle[ENVIRONMENT_MIME] as EnvironmentData;
  assert.deepEqual(JSON.parse(JSON.stringify(data)), data, 'plain data');
  assert.deepEqual(data.actions, ['NOOP', 'RIGHT', 'LEFT']);
  assert.deepEqual(data.options, { game: 'breakout', frameSkip: 4 });
  assert.deepEqual(
    data.variables.map(({ name, minimum, maximum }) => [name, minimum, maximum]),
    [
      ['ball_x', 0, 159],
      ['ball_y', 0, 209],
      ['paddle_x', 0, 159],
    ],
  );
  const html = String(bundle['text/html']);
  assert.match(html, /<img alt="First frame of breakout" src="data:image\/png;base64,/);
  for (const text of ['NOOP', 'LEFT', 'ball_x', '0 … 159', 'frameSkip: 4']) assert.ok(html.includes(text), text);
  assert.doesNotMatch(html, /color|background/, "the page's own colours");
  assert.match(
    String(bundle['text/plain']),
    /^breakout \(atari\)\nactions: NOOP, RIGHT, LEFT\nstate.ball_x: 0 … 159, /,
  );
});

test('the card tells what chance, constant actions and a human get, the lowest first', () => {
  const reference = {
    maxSteps: 1000,
    chance: { mean: -20.125, std: 1.5 },
    constants: [
      { action: '<UP>', mean: -19 },
      { action: 'NOOP', mean: -21 },
    ],
    human: { mean: 14.6, source: 'a paper' },
  };
  const bundle = environmentBundle({
    environment: 'atari',
    name: 'pong',
    options: {},
    actions: [],
    stateVariables: [],
    reference,
  });
  const { returns } = bundle[ENVIRONMENT_MIME] as EnvironmentData;
  assert.deepEqual(returns, {
    maxSteps: 1000,
    rows: [
      { name: 'always NOOP', mean: -21 },
      { name: 'chance', mean: -20.125 },
      { name: 'always <UP>', mean: -19 },
      { name: 'human (a paper)', mean: 14.6 },
    ],
  });
  assert.match(
    String(bundle['text/html']),
    /<p>Return in 1,000 steps: always NOOP −21 · chance −20\.13 · always &lt;UP&gt; −19 · human \(a paper\) 14\.6<\/p>/,
  );
  assert.match(String(bundle['text/plain']), /\nreturn in 1,000 steps: always NOOP −21 · chance −20\.13 · /);
  for (const none of [null, undefined])
    assert.ok(
      !(
        'returns' in
        (environmentBundle({
          environment: 'x',
          name: 'x',
          options: {},
          actions: [],
          stateVariables: [],
          reference: none,
        })[ENVIRONMENT_MIME] as object)
      ),
    );
});

test("a game's pictures have a television's 4:3, as the player shows them; others have square pixels", async () => {
  const screen = new Uint8Array(160 * 210);
  const file = Buffer.from(await new AtariFrame(Promise.resolve(screen), ATARI_PALETTE).png());
  assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [560, 420]);
  const about = { environment: 'atari', name: 'pong', options: {}, actions: [], stateVariables: [] };
  const card = environmentBundle({
    ...about,
    frame: { ...atariScreen({ game: 'pong' }), pixels: screen },
  });
  assert.match(String(card['text/html']), /width="280" height="210"/);
  assert.match(String(environmentBundle({ ...about, frame: picture })['text/html']), /width="3" height="2"/);
  const record = {
    environment: 'atari',
    options: { game: 'pong' },
    seed: 1,
    actionNames: [],
    actions: [],
    rewards: [],
    lives: [],
    states: {},
    end: { reason: 'aborted' as const },
  };
  const film = episodeBundle(record, { ...atariScreen({ game: 'pong' }), every: 1, frames: [screen] });
  assert.match(String(film['text/html']), /width="560" height="420"/);
  assert.equal((film[EPISODE_MIME] as EpisodeData).aspect, 4 / 3);
  const { aspect, ...square } = atariScreen({ game: 'pong' });
  const other = episodeBundle(record, { ...square, every: 1, frames: [screen] });
  assert.match(String(other['text/html']), /width="320" height="420"/);
});

test("a server's own words cannot become markup", () => {
  const bundle = environmentBundle({
    environment: 'http://x',
    name: '<b>"x"</b>',
    description: '<script>',
    options: {},
    actions: ["<i>'"],
    stateVariables: [],
  });
  assert.doesNotMatch(String(bundle['text/html']), /<b>|<script>|<i>/);
});

test('the card of a remote server: fields of action, observation and state, and the first frame', async () => {
  const garden = await startPythonServer();
  try {
    const env = await openenv(garden.url);
    const bundle = await env.card();
    const data = bundle[ENVIRONMENT_MIME] as EnvironmentData;
    assert.deepEqual(
      [data.name, data.release, data.description, data.environment],
      ['garden', '1.2.0', 'Grow plants with two tools.', garden.url],
    );
    assert.deepEqual(
      data.tables!.map(({ title, fields }) => [
        title,
        fields.map(({ name, optional }) => name + (optional ? '?' : '')),
      ]),
      [
        ['Action', ['tool', 'place', 'place.row', 'place.column?', 'litres?', 'mode?']],
        ['Observation', ['plants', 'plants[].kind', 'plants[].height', 'weather', 'screen']],
        ['State', ['episode_id', 'step_count', 'day']],
      ],
    );
    const [{ fields }] = data.tables!;
    assert.deepEqual(fields[0], {
      name: 'tool',
      type: '"spade" | "watering-can"',
      range: '',
      description: 'What is held in the hand.',
      optional: false,
    });
    assert.deepEqual(fields[3], {
      name: 'place.column',
      type: 'integer',
      range: '0 … 5 · default 0',
      description: '',
      optional: true,
    });
    assert.deepEqual(fields[4], {
      name: 'litres',
      type: 'number | null',
      range: '> 0, ≤ 10',
      description: 'Water, for the can',
      optional: true,
    });
    assert.deepEqual([data.frame!.width, data.frame!.height], [6, 4], 'of an episode that the card started');
    const html = String(bundle['text/html']);
    for (const text of [
      '<th style="text-align: left; vertical-align: top" scope="col">Action</th>',
      '&quot;spade&quot; | &quot;watering-can&quot;',
      'Its Latin name',
      'First frame of garden',
    ])
      assert.ok(html.includes(text), text);
    assert.match(
      String(bundle['text/plain']),
      /^garden 1\.2\.0 \(http:[^]*place\.row +integer +0 … 3 +From the house, 0 to 3\n[^]*\nState /,
    );
    await env.close();
  } finally {
    await garden.stop();
  }
});

test('the card of a served class of which nothing is known but its name', async () => {
  class Plain extends Environment {
    reset() {
      return {
        observation: {
          pixels: [
            [1, 2],
            [3, 4],
          ],
        },
      };
    }
    step() {
      return { observation: {} };
    }
  }
  const server = await serve(Plain);
  const env = await openenv(server.url);
  await env.reset();
  const data = (await env.card())[ENVIRONMENT_MIME] as EnvironmentData;
  assert.equal(data.name, 'Plain');
  assert.deepEqual(
    data.tables!.map(({ title }) => title),
    ['State'],
  );
  assert.deepEqual([data.frame!.width, data.frame!.height], [2, 2]);
  await env.close();
  await server.close();
});

test('an action that is one of several has a table for each', () => {
  const action = {
    anyOf: [
      { $ref: '#/$defs/Walk' },
      { title: 'Wait', type: 'object', properties: { days: { type: 'integer', exclusiveMinimum: 0 } } },
    ],
    $defs: {
      Walk: {
        type: 'object',
        properties: { to: { enum: Array.from({ length: 20 }, (_, i) => `room ${i}`) } },
        required: ['to'],
      },
    },
  };
  const schema = {
    action,
    observation: {},
    state: { type: 'object', properties: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, {}])) },
  };
  const { tables } = environmentBundle({
    environment: 'x',
    name: 'x',
    options: {},
    actions: [],
    stateVariables: [],
    schema,
  })[ENVIRONMENT_MIME] as EnvironmentData;
  assert.deepEqual(
    tables!.map(({ title }) => title),
    ['Action: Walk', 'Action: Wait', 'State'],
  );
  assert.match(tables![0].fields[0].type, /^"room 0" \| .* \| … 8 more$/);
  assert.equal(tables![1].fields[0].range, '> 0');
  assert.equal(tables![2].fields.at(-1)!.name, '… and 40 more');
});

test('a picture is found in an observation, as a file or as pixels', () => {
  const program = `
import base64, io, json
from PIL import Image
image = Image.new("RGB", (7, 5), (10, 20, 30))
def file(format, **options):
    out = io.BytesIO(); image.save(out, format, **options); return base64.b64encode(out.getvalue()).decode()
print(json.dumps([file("PNG"), file("JPEG"), file("GIF"), file("WEBP"), file("WEBP", lossless=True)]))`;
  const files: string[] = JSON.parse(execFileSync(pythonPath(), ['-c', program]).toString());
  const found = files.map((file) => observationPicture({ text: 'no picture', view: file })!);
  assert.deepEqual(
    found.map(({ type, bytes }) => [type, Buffer.from(bytes).toString('base64')]),
    ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/webp'].map((type, i) => [type, files[i]]),
  );
  assert.equal(observationPicture({ view: `data:image/png;base64,${files[0]}` })!.type, 'image/png');
  assert.equal(observationPicture({ view: '<svg width="12" height="9"></svg>' })!.height, 9);
  assert.equal(renderedPicture(Buffer.from(files[1], 'base64'))!.type, 'image/jpeg');

  const decode = (bytes: Uint8Array) =>
    JSON.parse(
      execFileSync(
        pythonPath(),
        [
          '-c',
          'import io, json, sys\nfrom PIL import Image\nimage = Image.open(io.BytesIO(sys.stdin.buffer.read())).convert("RGB")\nprint(json.dumps([image.size, [list(image.getpixel((x, y))) for y in range(image.height) for x in range(image.width)]]))',
        ],
        { input: bytes },
      ).toString(),
    );
  const rows = [
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      [7, 8, 9],
      [10, 11, 12],
    ],
    [
      [0, 0, 0],
      [255, 255, 255],
    ],
  ];
  const nested = observationPicture({
    board: [
      [1, 2],
      [3, 4],
    ],
    anything: rows,
  })!;
  assert.deepEqual(decode(nested.bytes), [[2, 3], rows.flat()]);
  const flat = observationPicture({ screen: [0, 50, 100, 150, 200, 250], screen_shape: [2, 3] })!;
  assert.deepEqual(decode(flat.bytes), [[3, 2], [0, 50, 100, 150, 200, 250].map((grey) => [grey, grey, grey])]);

  for (const none of [
    null,
    'text',
    {},
    {
      board: [
        [1, 2],
        [3, 4],
      ],
    },
    { screen: [] },
    { screen: [[1, 2], [3]] },
    { image: 'iVBORnot' },
    { rgb: [[[1, 2, 'a']]] },
    { screen: [1], screen_shape: [1e9, 1e9, 3] },
  ]) {
    assert.equal(observationPicture(none), undefined, JSON.stringify(none));
  }
  assert.equal(
    hasPicture({ properties: { screen: {} } }) && hasPicture({ properties: { a: { contentMediaType: 'image/png' } } }),
    true,
  );
  assert.equal(hasPicture({ properties: { message: {} } }) || hasPicture(undefined), false);
});
