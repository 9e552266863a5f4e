import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EPISODE_MIME, type EpisodeData } from '../../kernel/display/mime';
import { TestKernel } from '../jupyter/client';

/* A class in a cell that draws itself: its moment, its episodes, and what plays by keyboard. */

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(lamp());
});
after(() => kernel.stop());

/** A row of lamps; a strategy lights one after the other. */
const lamp = (more = '') => `/** @openenv */
class Lamps extends Environment<{ move: 'on' | 'wait' }, { lit: number }> {
  lit = 0;
  reset() { this.lit = this.random.int(0, 2); return { observation: { lit: this.lit } }; }
  step({ move }) { if (move === 'on') this.lit++; ${more} return { observation: { lit: this.lit }, reward: 1, done: this.lit > 4 }; }
  render() { return \`<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><title>\${this.lit}</title></svg>\`; }
}`;

/** The pictures of the episode that a cell returns; its titles tell the lamps that are lit. */
async function frames(code: string): Promise<{ type: string; titles: (string | undefined)[] }> {
  const { reply, outputs } = await kernel.execute(code);
  assert.equal(reply.content.status, 'ok', reply.content.evalue);
  const data = outputs.map(({ content }) => content.data?.[EPISODE_MIME]).find(Boolean) as EpisodeData;
  const made = await kernel.run(
    `JSON.stringify((await replay(${code.match(/const (\w+)/)![1]}, lamps)).pictures)`.replace(
      'replay',
      "(await import('joylab')).replay",
    ),
  );
  const pictures: { type: string; frames: string[] } = JSON.parse(made.slice(1, -1).replaceAll('\\\\', '\\'));
  assert.equal(data.pictures, pictures.type);
  return { type: pictures.type, titles: pictures.frames.map((svg) => /<title>(\d)/.exec(svg)?.[1]) };
}

const PLAY = (name: string) =>
  `import { executeWithTimeLimit } from 'joylab';
const ${name} = await executeWithTimeLimit(({ lit }) => (lit % 2 ? 'on' : 'wait'), lamps, { seed: 3, maxSteps: 3 });
${name}`;

test('the picture of the moment is that of the session', async () => {
  await kernel.run('const { observation } = await lamps.reset({ seed: 1 }); await lamps.step({ move: "on" });');
  const { outputs } = await kernel.execute('await lamps.render()');
  const data = outputs.map(({ content }) => content.data).find((it) => it?.['image/svg+xml']);
  const lit = Number(await kernel.run('observation.lit')) + 1;
  assert.match(data['image/svg+xml'], new RegExp(`<title>${lit}</title>`));
  assert.equal(data['text/plain'], 'A picture of Lamps');
});

test('without an episode, and of a server without pictures, the error says where pictures come from', async () => {
  await kernel.run(
    '/** @openenv card=false */\nclass Blind extends Environment<{ a: 1 | 2 }, { b: number }> {\n  reset() { return { observation: { b: 1 } }; }\n  step() { return { observation: { b: 2 } }; }\n}',
  );
  assert.match(await kernel.fail('await blind.render()'), /'Blind' has no picture now: .*render\(\).*reset/);
});

test('an episode has a drawing of each step', async () => {
  const { type, titles } = await frames(PLAY('episode'));
  assert.equal(type, 'image/svg+xml');
  assert.equal(titles.length, 4);
  const lit = JSON.parse(
    await kernel.run('JSON.stringify(episode.observations.map(({ lit }) => lit))').then((text) => text.slice(1, -1)),
  );
  assert.deepEqual(titles.map(Number), lit);
});

test('a class that goes another way each time is shown by what was observed', async () => {
  await kernel.run(lamp('this.lit += Math.random() / 8;'));
  const { outputs } = await kernel.execute(PLAY('strayed'));
  const data = outputs.map(({ content }) => content.data?.[EPISODE_MIME]).find(Boolean) as EpisodeData;
  assert.equal(data.pictures, 'text/plain');
});
