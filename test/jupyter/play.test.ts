import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  ENVIRONMENT_MIME,
  PLAY_COMM,
  type EnvironmentData,
  type PlayMessage,
  type PlayViewMessage,
} from '../../kernel/display/mime';
import { keysAction, playKeys, turnKeys } from '../../kernel/environments/play/keys';
import { eventually } from '../eventually';
import type { Message } from '../../kernel/jupyter/message';
import { TestKernel } from './client';

let kernel: TestKernel;
let id: string;

const OPEN = "await openenv('atari', { game: 'breakout', repeatActionProbability: 0 })";
/** Processes that the kernel's has started: servers. One ends with its last session. */
const SERVERS =
  "(await import('node:child_process')).execSync(`pgrep -P ${process.pid} -f server.app`).toString().trim().split('\\n').length";

before(async () => {
  kernel = await TestKernel.start();
  id = await openCard(`/** @openenv */\nconst env = ${OPEN};`);
});
after(() => kernel?.stop());

/** Runs a cell that shows a card; gives the ID to play it with. */
async function openCard(code: string): Promise<string> {
  const { reply, outputs } = await kernel.execute(code);
  assert.equal(reply.content.status, 'ok', reply.content.traceback?.join('\n'));
  const card = outputs.map(({ content }) => content.data?.[ENVIRONMENT_MIME]).find(Boolean) as EnvironmentData;
  assert.ok(card.play);
  return card.play;
}

type Of<Type extends PlayMessage['type']> = Extract<PlayMessage, { type: Type }>;
let opened = 0;

/** A card's view. */
class View {
  private readonly commId = `play-${++opened}`;
  /** Frames that were acknowledged, where the view does so. */
  private seen = 0;

  constructor(
    environment: string,
    private readonly acknowledges = true,
  ) {
    kernel.send('shell', 'comm_open', { comm_id: this.commId, target_name: PLAY_COMM, data: { id: environment } });
  }

  send(message: PlayViewMessage): void {
    kernel.send('shell', 'comm_msg', { comm_id: this.commId, data: message });
  }

  close(): void {
    kernel.send('shell', 'comm_close', { comm_id: this.commId, data: {} });
  }

  all<Type extends PlayMessage['type']>(type: Type): Array<Of<Type> & { buffers: Message['buffers'] }> {
    return this.messages('comm_msg')
      .filter(({ content }) => content.data.type === type)
      .map(({ content, buffers }) => ({ ...content.data, buffers }));
  }

  /** Frames of the episode that was started last. */
  framesSinceStart(): number {
    const types = this.messages('comm_msg').map(({ content }) => content.data.type as PlayMessage['type']);
    return types.slice(types.lastIndexOf('started')).filter((type) => type === 'frame').length;
  }

  /** The first of these messages that passes. */
  async wait<Type extends PlayMessage['type']>(
    type: Type,
    test: (message: Of<Type>) => boolean = () => true,
  ): Promise<Of<Type> & { buffers: Message['buffers'] }> {
    await kernel.until(() => {
      if (this.acknowledges)
        for (const count = this.all('frame').length; this.seen < count; this.seen++) this.send({ type: 'ack' });
      return this.all(type).some(test);
    }, `${type} of ${this.commId}`);
    return this.all(type).find(test)!;
  }

  async closed(): Promise<void> {
    await kernel.until(() => this.messages('comm_close').length > 0, `the end of ${this.commId}`);
  }

  private messages(type: string): Message[] {
    return kernel.iopub.filter(({ header, content }) => header.msg_type === type && content.comm_id === this.commId);
  }
}

test('a held key plays the game that the same actions play in a cell', async () => {
  const view = new View(id);
  const ready = await view.wait('ready');
  const {
    buffers: [palette],
    ...about
  } = ready;
  assert.deepEqual(about, {
    type: 'ready',
    name: 'breakout',
    width: 160,
    height: 210,
    aspect: 4 / 3,
    stepsPerSecond: 15,
    actions: ['NOOP', 'RIGHT', 'LEFT'],
    keys: { ArrowLeft: 'LEFT', ArrowRight: 'RIGHT' },
  });
  assert.equal(palette.length, 3 * 256);
  const before = await kernel.run(
    'await env.reset({ seed: 3 }); await env.step("LEFT"); JSON.stringify(await env.state())',
  );
  view.send({ type: 'keys', keys: ['ArrowRight'] });
  view.send({ type: 'start', seed: 7 });
  const frame = await view.wait('frame', ({ step }) => step >= 12);
  assert.equal((await view.wait('started')).seed, 7);
  assert.equal(frame.action, 'RIGHT');
  assert.equal(frame.buffers[0].length, 160 * 210);
  assert.equal(await kernel.run('JSON.stringify(await env.state())'), before, "the user's own episode is where it was");
  view.send({ type: 'action', action: 'LEFT' });
  await view.wait('frame', ({ action }) => action === 'LEFT');
  view.close();
  const playing = (action: string): string => `await env.reset({ seed: 7 });
let last: any;
for (let i = 0; i < ${frame.step}; i++) last = await env.step('${action}');
[(await import('node:crypto')).createHash('sha256').update(await env.render().pixels()).digest('hex'), last.done, last.observation.lives].join()`;
  const played = [createHash('sha256').update(frame.buffers[0]).digest('hex'), frame.done, frame.lives].join();
  assert.equal(await kernel.run(playing('RIGHT')), `'${played}'`);
  assert.notEqual(await kernel.run(playing('NOOP')), `'${played}'`);
});

/** Waits until a view has seen so many steps more. */
async function goesOn(view: View, steps: number): Promise<void> {
  const { step: before } = view.all('frame').at(-1)!;
  await view.wait('frame', ({ step }) => step >= before + steps);
}

/** Acknowledges one frame of a view that has none left to show; waits for the one that comes then. */
async function showNext(view: View): Promise<void> {
  const { length } = view.all('frame');
  view.send({ type: 'ack' });
  await kernel.until(() => view.all('frame').length > length, 'a frame for one that was acknowledged');
}

test('two views play at once; one that acknowledges nothing gets four frames, one that pauses none', async () => {
  const [slow, quick] = [new View(id, false), new View(id)];
  slow.send({ type: 'start', seed: 1 });
  await kernel.until(() => slow.all('frame').length === 4, 'four frames');
  quick.send({ type: 'start' });
  assert.ok((await quick.wait('started')).seed >= 0);
  await quick.wait('frame', ({ step }) => step >= 10);
  assert.deepEqual(
    slow.all('frame').map(({ step }) => step),
    [0, 1, 2, 3],
  );
  // How far the slow one's game is by now depends on the machine: that frames are left out shows after a few.
  for (let [last, next] = [2, 3]; next === last + 1; [last, next] = [next, slow.all('frame').at(-1)!.step]) {
    assert.ok(slow.all('frame').length < 20, 'the newest of those that were left out');
    await goesOn(quick, 5);
    await showNext(slow);
  }

  quick.send({ type: 'pause', paused: true });
  await kernel.run('0');
  const shown = quick.all('frame').length;
  for (let i = 0; i < 3; i++) await showNext(slow);
  assert.ok(quick.all('frame').length <= shown + 1, 'the step under way was the last');
  quick.send({ type: 'pause', paused: false });
  await goesOn(quick, 5);
  quick.send({ type: 'start', seed: 5 });
  await quick.wait('started', ({ seed }) => seed === 5);
  // Any: its first is left out where those before have not been acknowledged in time.
  await quick.wait('frame', () => quick.framesSinceStart() > 0);

  slow.send({ type: 'stop' });
  quick.send({ type: 'stop' });
  await Promise.all([slow.closed(), quick.closed()]);
});

test('an episode that is over is shown to its end, and another can be started; sessions end with stop and with the environment', async () => {
  const servers = await kernel.run(SERVERS);
  const short = await openCard(
    "/** @openenv */\nconst shortEnv = await openenv('atari', { game: 'breakout', maxFrames: 24, noopMax: 0 });",
  );
  const view = new View(short);
  for (const seed of [1, 2]) {
    view.send({ type: 'start', seed });
    await view.wait('started', (it) => it.seed === seed);
    await view.wait('frame', () => view.all('frame').filter(({ done }) => done).length === seed);
  }
  view.send({ type: 'pause', paused: false });
  // The time of some steps, which must not be taken.
  await kernel.run('await new Promise((resolve) => setTimeout(resolve, 300));');
  assert.equal(view.all('frame').at(-1)!.done, true);
  assert.equal(view.all('frame').at(-1)!.step, 6);
  view.send({ type: 'start' });
  await kernel.until(() => view.all('started').length === 3, 'a third episode');
  const stopped = new View(short);
  stopped.send({ type: 'start' });
  await stopped.wait('frame');
  stopped.send({ type: 'stop' });
  await stopped.closed();
  assert.notEqual(await kernel.run(SERVERS), servers);
  await kernel.run('await shortEnv.close()');
  assert.match((await view.wait('error')).text, /^breakout was closed\. Run its cell again to play\.$/);
  await view.closed();
  await eventually(async () => (await kernel.run(SERVERS)) === servers, 'the server has ended with its last session');
  const late = new View(short);
  assert.match((await late.wait('error')).text, /not open any more\. Run its cell again/);
  await late.closed();
});

test('what a person plays is recorded as any other episode, and scored by the reward functions', async () => {
  const { reply } = await kernel.execute(
    '/** @reward */\nfunction length({ episode }: Sample) { return episode ? episode.steps : null; }\n/** @reward weight=2 */\nfunction never() { return null; }',
  );
  assert.equal(reply.content.status, 'ok', reply.content.evalue);
  const view = new View(id);
  view.send({ type: 'keys', keys: ['ArrowLeft'] });
  view.send({ type: 'start', seed: 11 });
  await view.wait('frame', ({ step }) => step >= 8);
  view.send({ type: 'finish' });
  const { steps, rewards, reward } = await view.wait('recorded');
  assert.ok(steps >= 8);
  assert.deepEqual(rewards, [
    { name: 'length', value: steps },
    { name: 'never', value: null },
  ]);
  assert.equal(reward, steps);
  const last = view.all('frame').at(-1)!;
  assert.equal(
    await kernel.run(
      'const [mine] = env.played.slice(-1); [mine.seed, mine.steps, mine.end.message, Object.keys(mine.states).length > 0].join()',
    ),
    `'11,${steps},the player stopped,true'`,
  );
  assert.ok(last.step <= steps);
  view.send({ type: 'start', seed: 11 });
  await view.wait('started', () => view.all('started').length === 2);
  view.send({ type: 'stop' });
  await view.closed();
});

test('a class in a cell is played key by key, drawn by its render(), and recorded', async () => {
  const own = await openCard(`/** @openenv */
class Ladder extends Environment<{ to: 'UP' | 'DOWN' | 'STAY' }, { rung: number }> {
  rung = 2;
  reset() { this.rung = this.random.int(1, 3); return { observation: { rung: this.rung } }; }
  step({ to }) { this.rung += { UP: 1, DOWN: -1, STAY: 0 }[to]; return { observation: { rung: this.rung }, reward: this.rung, done: this.rung > 9 }; }
  render() { return \`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="80"><title>\${this.rung}</title></svg>\`; }
}`);
  const view = new View(own);
  const { type, buffers, ...about } = await view.wait('ready');
  assert.deepEqual(about, {
    name: 'Ladder',
    width: 40,
    height: 80,
    stepsPerSecond: 8,
    actions: ['UP', 'DOWN', 'STAY'],
    keys: { ArrowUp: 'UP', ArrowDown: 'DOWN', s: 'STAY' },
    drawn: true,
  });
  assert.deepEqual(buffers, []);
  view.send({ type: 'start', seed: 4 });
  const rung = (frame: { buffers: Message['buffers'] }) =>
    Number(/<title>(\d+)/.exec(Buffer.from(frame.buffers[0]).toString())![1]);
  const start = rung(await view.wait('frame', ({ step }) => step === 0));
  // The time of some steps, which must not be taken.
  await kernel.run('await new Promise((resolve) => setTimeout(resolve, 400));');
  assert.equal(view.all('frame').length, 1, 'it waits for a key');
  for (const [i, key] of ['ArrowUp', 's', 'ArrowDown', 'ArrowUp'].entries()) {
    view.send({ type: 'keys', keys: [key] });
    view.send({ type: 'keys', keys: [] });
    await view.wait('frame', ({ step }) => step === i + 1);
  }
  const frames = view.all('frame');
  assert.deepEqual(
    frames.map(({ step, action }) => [step, action]),
    [
      [0, 'NOOP'],
      [1, 'UP'],
      [2, 'STAY'],
      [3, 'DOWN'],
      [4, 'UP'],
    ],
  );
  assert.deepEqual(
    frames.map(rung),
    [0, 1, 1, 0, 1].map((up) => start + up),
  );
  view.send({ type: 'finish' });
  const { steps, return: sum } = await view.wait('recorded');
  assert.deepEqual([steps, sum], [4, 4 * start + 3]);
  assert.equal(
    await kernel.run('ladder.played.map(({ seed, actionNames }) => [seed, actionNames]).join()'),
    "'4,UP,DOWN,STAY'",
  );
  await kernel.run('await ladder.close()');
  assert.match((await view.wait('error')).text, /^Ladder was closed/);
  await view.closed();
});

test('keys of actions are arrows where they are directions, else letters of their names', () => {
  assert.deepEqual(turnKeys(['LEFT', 'stay', 'FIRE', 'salute', 's', '1', 'ß']), {
    ArrowLeft: 'LEFT',
    s: 'stay',
    ' ': 'FIRE',
    a: 'salute',
    1: 's',
    2: '1',
    3: 'ß',
  });
});

test('what a view cannot ask for is answered in words, and the game goes on', async () => {
  const view = new View(id);
  const wrong: Array<[unknown, RegExp]> = [
    [{ type: 'action', action: 'FIRE' }, /'breakout' has no action "FIRE"\. The actions are: NOOP, RIGHT, LEFT\./],
    [{ type: 'start', seed: -1 }, /A seed must be a whole number ≥ 0, not -1\./],
    [{ type: 'keys', keys: 'ArrowUp' }, /keys must be a list/],
    [{ type: 'jump' }, /no message "jump"\. The messages are: start, keys/],
    [null, /no message undefined/],
  ];
  for (const [message, expected] of wrong) {
    view.send(message as PlayViewMessage);
    await view.wait('error', ({ text }) => expected.test(text));
  }
  view.send({ type: 'start' });
  await view.wait('frame', ({ step }) => step >= 2);
  const stranger = new View('nothing');
  await stranger.wait('error');
  await stranger.closed();

  await kernel.request('control', 'interrupt_request');
  assert.match(
    (await view.wait('error', ({ text }) => /interrupted/.test(text))).text,
    /the game is over\. Press Play/,
  );
  await view.closed();
  const again = new View(id);
  again.send({ type: 'start' });
  await again.wait('frame', ({ step }) => step >= 1);
  again.close();
});

test('keys hold the action of most of their buttons, of several the newest', () => {
  const joystick = ['NOOP', 'FIRE', 'UP', 'RIGHT', 'LEFT', 'DOWN', 'UPRIGHT', 'RIGHTFIRE', 'UPRIGHTFIRE'];
  const action = (names: string[], ...keys: string[]): string => names[keysAction(names, keys)];
  assert.equal(action(joystick), 'NOOP');
  assert.equal(action(joystick, 'x', 'Enter'), 'NOOP');
  assert.equal(action(joystick, ' ', 'ArrowRight', 'ArrowUp'), 'UPRIGHTFIRE');
  assert.equal(action(joystick, 'ArrowRight', 'ArrowLeft'), 'LEFT');
  assert.equal(action(joystick, 'ArrowLeft', 'ArrowRight'), 'RIGHT');
  assert.equal(action(joystick, ' ', 'ArrowDown'), 'DOWN');
  assert.equal(action(['NOOP', 'RIGHT', 'LEFT'], ' ', 'ArrowUp'), 'NOOP');
  assert.deepEqual(playKeys(joystick), {
    ArrowUp: 'UP',
    ArrowDown: 'DOWN',
    ArrowLeft: 'LEFT',
    ArrowRight: 'RIGHT',
    ' ': 'FIRE',
  });
});
