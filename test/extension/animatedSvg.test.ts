import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { episodeBundle } from '../../kernel/display/pictures/episode';
import type { EpisodeRecord } from '../../kernel/episodes/episode';
import { svgFrames } from '../../kernel/episodes/frames';
import { launchBrowser } from './browser';
import { labTest } from './labTest';

/* What viewers without the extension show of an episode that is drawn: one SVG that moves. */

let browser: Browser;
before(async () => (browser = await launchBrowser()));
after(() => browser?.close());

const drawing = (i: number, more = '') =>
  `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><title>${i}</title><rect x="${i}" width="4" height="20"/>${more}</svg>`;

/** The moving SVG in the HTML of an episode with these drawings, and the HTML itself. */
function moving(frames: string[]): { html: string; svg: string } {
  const steps = frames.length - 1;
  const episode: EpisodeRecord = {
    environment: 'Line',
    options: {},
    seed: 1,
    actionNames: ['GO'],
    actions: Array(steps).fill(0),
    rewards: Array(steps).fill(0.1),
    lives: [],
    states: {},
    end: { reason: 'terminated' },
  };
  const html = String(episodeBundle(episode, svgFrames(frames, 1))['text/html']);
  const [, data] = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(html)!;
  return { html, svg: Buffer.from(data, 'base64').toString() };
}

labTest('shows one drawing after the other, each for its time, and begins again', async () => {
  const { html, svg } = moving(Array.from({ length: 4 }, (_, i) => drawing(i)));
  assert.match(html, /score 0\.3 · terminated/);
  const page = await browser.newPage();
  await page.setContent(`<body>${svg}</body>`);
  const seen = await page.evaluate(`(() => {
    const root = document.querySelector('svg');
    root.pauseAnimations();
    const frames = [...root.children];
    return [0.05, 0.2, 0.4, 0.55, 1.9, 2.2].map((time) => {
      root.setCurrentTime(time);
      return frames.flatMap((frame, i) => (getComputedStyle(frame).visibility === 'visible' ? i : [])).join();
    });
  })()`);
  // Six a second; the last one stays for a second and a half more.
  assert.deepEqual(seen, ['0', '1', '2', '3', '3', '0']);
  await page.setContent(`<body>${html}</body>`);
  const size = await page.locator('img').evaluate(async (image: any) => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight, image.width];
  });
  assert.deepEqual(size, [40, 20, 200]);
  await page.close();
});

labTest('stays small: of many drawings it has some, at equal distances, and the last', async () => {
  const { svg } = moving(Array.from({ length: 400 }, (_, i) => drawing(i, `<path d="M0 0${'L1 2'.repeat(300)}"/>`)));
  assert.ok(svg.length < 90_000, `${svg.length} characters`);
  const drawings = [...svg.matchAll(/href="data:image\/svg\+xml;base64,([^"]+)"/g)].map(([, it]) =>
    Buffer.from(it, 'base64').toString(),
  );
  const numbers = drawings.map((it) => Number(/<title>(\d+)/.exec(it)![1]));
  assert.ok(numbers.length > 20, `${numbers.length} drawings`);
  assert.equal(numbers.at(-1), 399);
  assert.equal(new Set(numbers.slice(1, -1).map((number, i) => number - numbers[i])).size, 1);
});
