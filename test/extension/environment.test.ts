import assert from 'node:assert/strict';
import { ENVIRONMENT_MIME, type EnvironmentData } from '../../kernel/display/mime';
import { openenv } from '../../kernel/environments';
import { startPythonServer } from '../openenv/pythonServer';
import { becomes, openNotebook, runAllCells, waitForCells, waitUntil } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook, type Bundle } from './notebooks';

const { lab, browser } = useLab({ theme: 'dark' }, async () => {
  const env = await openenv('atari', { game: 'breakout' });
  const reference = {
    maxSteps: 1000,
    chance: { mean: 1.5, std: 1 },
    constants: [{ action: 'LEFT', mean: 3.25 }],
    human: { mean: 30.5, source: 'a paper' },
  };
  const bundle = (await env.card({ reference })) as Bundle;
  await env.close();
  data = bundle[ENVIRONMENT_MIME] as EnvironmentData;
  const garden = await startPythonServer();
  const remote = await openenv(garden.url);
  const remoteBundle = (await remote.card()) as Bundle;
  await remote.close();
  await garden.stop();
  remoteData = remoteBundle[ENVIRONMENT_MIME] as EnvironmentData;
  const hostile = { ...data, name: '<img src=x onerror=alert(1)>', description: '<b>bold</b>', frame: undefined };
  writeNotebook(lab.folder, 'card.ipynb', [
    { source: '/** @openenv */', outputs: [bundle] },
    { source: '', outputs: [{ [ENVIRONMENT_MIME]: hostile, 'text/plain': 'text' }] },
    { source: '', outputs: [{ [ENVIRONMENT_MIME]: { version: 1 }, 'text/plain': 'text' }] },
    { source: '', outputs: [remoteBundle] },
    {
      source: '',
      outputs: [{ [ENVIRONMENT_MIME]: { ...data, returns: { maxSteps: 5, rows: null } }, 'text/plain': 'text' }],
    },
  ]);
});
let data: EnvironmentData;
let remoteData: EnvironmentData;

labTest('the card shows name, actions, state variables with their ranges, and the first frame', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('card.ipynb'));
  const card = page.locator('.joylab-Environment').first();
  await card.waitFor();
  assert.equal(await card.locator('.joylab-Environment-name').innerText(), 'breakout');
  assert.deepEqual(await card.locator('.joylab-Chip').allInnerTexts(), data.actions);
  const rows = await card.locator('tr:has(td)').allInnerTexts();
  assert.equal(rows.length, data.variables.length);
  for (const [i, { name, minimum, maximum, description }] of data.variables.entries()) {
    for (const text of [name, `${minimum} … ${maximum}`, description])
      assert.ok(rows[i].includes(text), `${rows[i]} lacks ${text}`);
  }
  assert.deepEqual(
    await card
      .locator('.joylab-Environment-section', { hasText: 'Return in 1,000 steps' })
      .locator('li')
      .allInnerTexts(),
    ['chance 1.5', 'always LEFT 3.25', 'human (a paper) 30.5'],
  );
  const image = card.locator('img');
  await becomes(() => image.evaluate((node: any) => node.complete && node.naturalWidth), 160);
  // A console's pixels are wider than high: the picture has the form of a television.
  const shown = await image.evaluate((node: any) => node.clientWidth / node.clientHeight);
  assert.ok(Math.abs(shown - 4 / 3) < 0.02, `${shown}`);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('the card of a server shows the fields of action, observation and state, at any width', async () => {
  for (const width of [1280, 620]) {
    const { page, errors } = await openNotebook(browser, lab.url('card.ipynb'), { width });
    const card = page.locator('.joylab-Environment', {
      has: page.locator('.joylab-Environment-name', { hasText: 'garden' }),
    });
    await card.waitFor();
    assert.deepEqual(await card.locator('th:first-child').allInnerTexts(), ['Action', 'Observation', 'State']);
    const rows = await card.locator('tr:has(td)').allInnerTexts();
    const fields = remoteData.tables!.flatMap((table) => table.fields);
    assert.equal(rows.length, fields.length);
    fields.forEach(({ name, type, range, description }, i) => {
      for (const text of [name, type, range, description])
        assert.ok(rows[i].includes(text), `${rows[i]} lacks ${text}`);
    });
    const [inner, outer] = await card.evaluate((node: any) => [
      node.querySelector('table').scrollWidth,
      node.clientWidth,
    ]);
    assert.ok(inner <= outer, `the table is ${inner} wide in ${outer}`);
    assert.deepEqual(errors, []);
    await page.close();
  }
});

labTest('text of the data stays text; broken data gives a message', async () => {
  const { page, errors } = await openNotebook(browser, lab.url('card.ipynb'), { width: 680 });
  const card = page.locator('.joylab-Environment').nth(1);
  await card.waitFor();
  assert.equal(await card.locator('.joylab-Environment-name').textContent(), '<img src=x onerror=alert(1)>');
  assert.equal(await card.locator('img, b').count(), 0);
  assert.match((await page.locator('.joylab-Problem').first().textContent())!, /cannot be shown.*actions are missing/);
  assert.match((await page.locator('.joylab-Problem').last().textContent())!, /its returns are broken/);
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('a person plays the card by keyboard, and the episode is scored by the reward cell', async () => {
  writeNotebook(lab.folder, 'play.ipynb', [
    { source: "/** @openenv reference=false */\nconst env = await openenv('atari', { game: 'breakout' });" },
    { source: '/** @reward */\nfunction lasts({ episode }: Sample) { return episode ? episode.steps / 10 : null; }' },
  ]);
  const { page, errors } = await openNotebook(browser, lab.url('play.ipynb'));
  await runAllCells(page);
  await waitForCells(page, 300_000);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  const numbers = page.locator('.joylab-Play-numbers');
  await becomes(async () => /Step \d/.test(await numbers.innerText()), true);
  await page.keyboard.down('ArrowRight');
  await becomes(async () => /Step \d+ · RIGHT$/.test(await numbers.innerText()), true);
  await page.keyboard.up('ArrowRight');
  await becomes(async () => /Step \d+$/.test(await numbers.innerText()), true);
  await page.getByRole('button', { name: 'Finish' }).click();
  const said = page.locator('.joylab-Play-message');
  await becomes(async () => /^Recorded.*: reward [\d.]+ \(lasts [\d.]+\)/.test(await said.innerText()), true);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  assert.deepEqual(errors, []);
  await page.close();
});

labTest('a wrong field is underlined while the cell is written, once the schema is known', async () => {
  writeNotebook(lab.folder, 'squiggles.ipynb', [
    { source: "/** @openenv card=false */\nconst board = await openenv('game2048');" },
    { source: '' },
  ]);
  const { page, errors, cell } = await openNotebook(browser, lab.url('squiggles.ipynb'));
  await runAllCells(page);
  await waitForCells(page, 300_000);
  const editor = cell(1).locator('.cm-content');
  await editor.click();
  await page.keyboard.insertText('const unknown = declaredLater;\nawait board.step({ actoin_id: 1 });');
  const mark = cell(1).locator('.joylab-Squiggle');
  await mark.first().waitFor({ timeout: 300_000 });
  assert.deepEqual(await mark.allInnerTexts(), ['actoin_id'], 'names of cells that did not run are left alone');
  assert.match(
    (await mark.getAttribute('title'))!,
    /'actoin_id' does not exist in type 'Game2048Action'\. Did you mean to write 'action_id'\? Valid: action_id\./,
  );
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('await board.step({ action_id: 1 });');
  await waitUntil(page, async () => (await mark.count()) === 0, 'the mark is gone', 300_000);
  assert.deepEqual(errors, []);
  await page.close();
});
