import assert from 'node:assert/strict';
import { becomes, openNotebook, runAllCells, waitForCells } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab();

labTest('a class in a cell is played from its card, key by key, and its episodes are drawings that play', async () => {
  writeNotebook(lab.folder, 'own.ipynb', [
    {
      source: `/** @openenv */
class Ladder extends Environment<{ to: 'UP' | 'DOWN' | 'STAY' }, { rung: number }> {
  rung = 2;
  reset() { this.rung = 2; return { observation: { rung: this.rung } }; }
  step({ to }) {
    this.rung += { UP: 1, DOWN: -1, STAY: 0 }[to];
    return { observation: { rung: this.rung }, reward: 1, done: this.rung === 4 };
  }
  render() {
    return \`<svg xmlns="http://www.w3.org/2000/svg" width="80" height="60"><rect width="80" height="60" fill="#446"/><rect y="\${50 - 10 * this.rung}" width="80" height="8" fill="#fc6"/></svg>\`;
  }
}`,
    },
    { source: '/** @reward */\nfunction lasts({ episode }: Sample) { return episode ? episode.steps : null; }' },
    {
      source:
        "import { executeWithTimeLimit } from 'joylab';\nawait executeWithTimeLimit(({ rung }) => (rung < 3 ? 'UP' : 'STAY'), ladder, { maxSteps: 12 })",
    },
  ]);
  const { page, errors } = await openNotebook(browser, lab.url('own.ipynb'));
  await runAllCells(page);
  await waitForCells(page, 300_000);
  const picture = page.locator('.joylab-Player img.joylab-Screen');
  await picture.scrollIntoViewIfNeeded();
  const first = await picture.getAttribute('src');
  await becomes(async () => (await picture.getAttribute('src')) !== first, true);

  const play = page.getByRole('button', { name: 'Play', exact: true }).first();
  await play.scrollIntoViewIfNeeded();
  await play.click();
  const numbers = page.locator('.joylab-Play-numbers');
  const said = page.locator('.joylab-Play-message');
  await becomes(() => numbers.innerText(), 'Score 0 · Step 0');
  await becomes(() => said.innerText(), '↑ up · ↓ down · s stay · Escape leaves');
  const drawn = page.locator('.joylab-Play img.joylab-Screen');
  assert.deepEqual(await drawn.evaluate((node: any) => [node.naturalWidth, node.naturalHeight]), [80, 60]);
  await page.keyboard.press('s');
  await becomes(() => numbers.innerText(), 'Score 1 · Step 1 · STAY');
  await page.keyboard.press('ArrowUp');
  await becomes(() => numbers.innerText(), 'Score 2 · Step 2 · UP');
  await page.keyboard.press('ArrowUp');
  await becomes(async () => /^Recorded.*3 steps, return 3: reward 3 \(lasts 3\)/.test(await said.innerText()), true);
  await page.keyboard.press('Escape');
  await play.waitFor();
  assert.deepEqual(errors, []);
  await page.close();
});
