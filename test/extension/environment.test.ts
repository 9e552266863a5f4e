import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { ENVIRONMENT_MIME, type EnvironmentData } from '../../kernel/display/mime';
import { openenv } from '../../kernel/environments';
import { launchBrowser, openNotebook } from './browser';
import { startLab, type Lab } from './lab';
import { writeNotebook, type Bundle } from './notebooks';

let lab: Lab;
let browser: Browser;
let data: EnvironmentData;

before(async () => {
  const env = await openenv('atari', { game: 'breakout' });
  const bundle = (await env.card()) as Bundle;
  await env.close();
  data = bundle[ENVIRONMENT_MIME] as EnvironmentData;
  lab = await startLab({ theme: 'dark' });
  browser = await launchBrowser();
  const hostile = { ...data, name: '<img src=x onerror=alert(1)>', description: '<b>bold</b>', frame: undefined };
  writeNotebook(lab.folder, 'card.ipynb', [
    { source: '/** @openenv */', outputs: [bundle] },
    { source: '', outputs: [{ [ENVIRONMENT_MIME]: hostile, 'text/plain': 'text' }] },
    { source: '', outputs: [{ [ENVIRONMENT_MIME]: { version: 1 }, 'text/plain': 'text' }] }
  ]);
});

after(async () => {
  await browser?.close();
  await lab?.close();
});

test('the card shows name, actions, state variables with their ranges, and the first frame', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('card.ipynb'));
  const card = page.locator('.joylab-Environment').first();
  await card.waitFor();
  assert.equal(await card.locator('.joylab-Environment-name').innerText(), 'breakout');
  assert.deepEqual(await card.locator('.joylab-Chip').allInnerTexts(), data.actions);
  const rows = await card.locator('tbody tr').allInnerTexts();
  assert.equal(rows.length, data.variables.length);
  for (const [i, { name, minimum, maximum, description }] of data.variables.entries()) {
    for (const text of [name, `${minimum} … ${maximum}`, description]) assert.ok(rows[i].includes(text), `${rows[i]} lacks ${text}`);
  }
  const image = card.locator('img');
  assert.equal(await image.evaluate((node: any) => node.complete && node.naturalWidth), data.frame!.width);
  assert.deepEqual(errors, []);
  await page.close();
});

test('text of the data stays text; broken data gives a message', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('card.ipynb'), { width: 680 });
  const card = page.locator('.joylab-Environment').nth(1);
  await card.waitFor();
  assert.equal(await card.locator('.joylab-Environment-name').textContent(), '<img src=x onerror=alert(1)>');
  assert.equal(await card.locator('img, b').count(), 0);
  assert.match((await page.locator('.joylab-Problem').textContent())!, /cannot be shown.*actions are missing/);
  assert.deepEqual(errors, []);
  await page.close();
});
