import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Page } from 'playwright-core';
import { becomes, openNotebook, type NotebookPage } from './browser';
import { labTest } from './labTest';
import { useLab } from './useLab';
import { writeNotebook } from './notebooks';

const { lab, browser } = useLab();

/** A cell that goes on when a file is there: `gate('b')` waits for the file `b`. */
const GATES = `
import { existsSync } from 'node:fs';
import { display } from 'joylab';
const gate = async (name: string) => { while (!existsSync(name)) await new Promise((go) => setTimeout(go, 20)); };
`;

function open(gate: string): void {
  fs.writeFileSync(path.join(lab.folder, gate), '');
}

/** What the file of a notebook has of a cell. */
function saved(notebook: string, cell: number): { execution_count: number | null; outputs: any[] } {
  return JSON.parse(fs.readFileSync(path.join(lab.folder, notebook), 'utf8')).cells[cell];
}

/** Outputs as short texts. */
function texts(outputs: any[]): string[] {
  const joined = (text: string | string[]) => (Array.isArray(text) ? text.join('') : text);
  return outputs.map(({ output_type: type, text, data, ename }) =>
    `${type}: ${ename ?? joined(text ?? data['text/plain'])}`.trim(),
  );
}

async function shown(page: Page, cell: number): Promise<{ count: number | null; state: string; outputs: string[] }> {
  const value: any = await page.evaluate(`(() => {
    const { executionCount: count, executionState: state, outputs } = jupyterapp.shell.currentWidget?.content.widgets[${cell}]?.model ?? {};
    return { count, state, outputs: outputs?.toJSON() ?? [] };
  })()`);
  return { ...value, outputs: texts(value.outputs) };
}

const isDirty = (page: Page) => page.evaluate<boolean>('jupyterapp.shell.currentWidget.context.model.dirty');
const save = (page: Page) => page.evaluate('jupyterapp.shell.currentWidget.context.save()');
/** Leaves as a user who confirms that changes are not saved. */
async function leave({ page }: NotebookPage): Promise<void> {
  await page.close({ runBeforeUnload: false });
}

/** Closes the notebook as a user who chooses to discard what is not saved. */
async function closeDiscarding(page: Page): Promise<void> {
  await page.evaluate(
    '(() => { const panel = jupyterapp.shell.currentWidget; panel.context.model.dirty = false; panel.close(); })()',
  );
}

async function runAll(page: Page): Promise<void> {
  await page.locator('.jp-StatusBar-TextItem, .jp-StatusItem', { hasText: '| Idle' }).first().waitFor();
  await page.evaluate('jupyterapp.commands.execute("notebook:run-all-cells")').catch(() => undefined);
}

labTest(
  'a page that is reloaded in mid-run shows and saves what the cells put out, before, meanwhile and afterwards',
  async () => {
    writeNotebook(lab.folder, 'reloaded.ipynb', [
      { source: GATES },
      {
        source: `const handle = display('start'); console.log('one'); await gate('a'); console.log('two'); handle.update('middle'); await gate('b'); display('new'); handle.update('end'); console.error('bad'); 42`,
      },
      { source: `await gate('c'); handle.update('much later'); throw new RangeError('last')` },
    ]);
    const first = await openNotebook(browser, lab.url('reloaded.ipynb'));
    void runAll(first.page);
    await becomes(async () => (await shown(first.page, 1)).outputs, ['display_data: start', 'stream: one']);
    await save(first.page);
    await leave(first);
    open('a');
    const second = await openNotebook(browser, lab.url('reloaded.ipynb'));
    await becomes(() => shown(second.page, 1), {
      count: null,
      state: 'running',
      outputs: ['display_data: middle', 'stream: one\ntwo'],
    });
    assert.equal((await shown(second.page, 2)).state, 'running', 'it waits for its turn');
    assert.equal(await isDirty(second.page), true);
    open('b');
    const whole = ['display_data: end', 'stream: one\ntwo', 'display_data: new', 'stream: bad', 'execute_result: 42'];
    await becomes(() => shown(second.page, 1), { count: 2, state: 'idle', outputs: whole });
    await save(second.page);
    assert.deepEqual(
      [saved('reloaded.ipynb', 1).execution_count, texts(saved('reloaded.ipynb', 1).outputs)],
      [2, whole],
    );
    await leave(second);
    // No page is there when the last cell ends, and changes what another has shown.
    open('c');
    await new Promise((go) => setTimeout(go, 300));
    const third = await openNotebook(browser, lab.url('reloaded.ipynb'));
    await becomes(() => shown(third.page, 2), { count: 3, state: 'idle', outputs: ['error: RangeError'] });
    await becomes(async () => (await shown(third.page, 1)).outputs, ['display_data: much later', ...whole.slice(1)]);
    await save(third.page);
    assert.equal(await isDirty(third.page), false);
    assert.deepEqual(texts(saved('reloaded.ipynb', 2).outputs), ['error: RangeError']);
    await leave(third);
    const fourth = await openNotebook(browser, lab.url('reloaded.ipynb'));
    await becomes(() => shown(fourth.page, 2), { count: 3, state: 'idle', outputs: ['error: RangeError'] });
    await new Promise((go) => setTimeout(go, 500));
    assert.equal(await isDirty(fourth.page), false, 'the file has everything');
    for (const { errors } of [first, second, third, fourth]) assert.deepEqual(errors, []);
    await leave(fourth);
  },
);

labTest(
  'outputs come back where they belong: not into a cell that was cleared, edited or run anew; a closed notebook keeps what was discarded out',
  async () => {
    writeNotebook(lab.folder, 'places.ipynb', [
      { source: GATES },
      { source: `console.log('cleared')` },
      { source: `console.log('first text')` },
      { source: `console.log('discarded')` },
      {
        source: `import { clearOutput, html } from 'joylab'; console.log('old'); clearOutput({ wait: true }); await gate('d'); display(html('<b style="color:red" onclick="alert(1)">bold</b>')); while (!existsSync('computed')); display('computed')`,
      },
      { source: `await gate('never')` },
    ]);
    const first = await openNotebook(browser, lab.url('places.ipynb'));
    void runAll(first.page);
    await becomes(async () => (await shown(first.page, 4)).outputs, ['stream: old']);
    const edit = (page: Page, cell: number, source: string) =>
      page.evaluate(
        `jupyterapp.shell.currentWidget.content.widgets[${cell}].model.sharedModel.setSource(${JSON.stringify(source)})`,
      );
    await first.page.evaluate('jupyterapp.shell.currentWidget.content.widgets[1].model.clearExecution()');
    await save(first.page);
    await edit(first.page, 4, 'edited while it ran');
    await save(first.page);
    await closeDiscarding(first.page);
    open('d');
    await new Promise((go) => setTimeout(go, 300));
    const second = await openNotebook(browser, lab.url('places.ipynb'));
    await becomes(
      async () => (await shown(second.page, 4)).outputs,
      ['display_data: <b style="color:red" onclick="alert(1)">bold</b>'],
      'the kernel computes, and its outputs are there',
    );
    assert.deepEqual(await shown(second.page, 1), { count: null, state: 'idle', outputs: [] });
    assert.deepEqual((await shown(second.page, 3)).outputs, ['stream: discarded'], 'it was saved');
    assert.equal(await second.page.locator('b[style]', { hasText: 'bold' }).count(), 1, 'what is run here is trusted');
    open('computed');
    await becomes(() => shown(second.page, 4), {
      count: 5,
      state: 'idle',
      outputs: ['display_data: <b style="color:red" onclick="alert(1)">bold</b>', 'display_data: computed'],
    });
    // The cell that runs is interrupted from the new page, and one is run anew.
    await becomes(async () => (await shown(second.page, 5)).state, 'running');
    await second.page.evaluate('jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()');
    await becomes(async () => (await shown(second.page, 5)).outputs, ['error: KeyboardInterrupt']);
    await edit(second.page, 2, `console.log('second text')`);
    await second.page.evaluate(
      `(() => { const { content } = jupyterapp.shell.currentWidget; content.activeCellIndex = 2; return jupyterapp.commands.execute('notebook:run-cell'); })()`,
    );
    await becomes(() => shown(second.page, 2), { count: 7, state: 'idle', outputs: ['stream: second text'] });
    await leave(second);
    // Nothing was saved since: the cell has its first text again, and the outputs of that.
    const third = await openNotebook(browser, lab.url('places.ipynb'));
    await becomes(async () => (await shown(third.page, 5)).outputs, ['error: KeyboardInterrupt']);
    assert.deepEqual(await shown(third.page, 2), { count: 3, state: 'idle', outputs: ['stream: first text'] });
    assert.equal((await shown(third.page, 4)).outputs.length, 2);
    // A notebook that is closed and opened again does not bring back what was discarded.
    assert.equal(await isDirty(third.page), true);
    await closeDiscarding(third.page);
    await third.page.evaluate('jupyterapp.commands.execute("docmanager:open", { path: "places.ipynb" })');
    await becomes(async () => (await shown(third.page, 3)).outputs, ['stream: discarded']);
    await becomes(
      () =>
        third.page
          .locator('.jp-StatusBar-TextItem, .jp-StatusItem', { hasText: '| Idle' })
          .count()
          .then((count) => count > 0),
      true,
    );
    await new Promise((go) => setTimeout(go, 500));
    assert.deepEqual(
      [(await shown(third.page, 4)).outputs, (await shown(third.page, 5)).outputs, await isDirty(third.page)],
      [['stream: old'], [], false],
    );
    for (const { errors } of [first, second, third]) assert.deepEqual(errors, []);
    await leave(third);
  },
);

labTest('views, pages and files of a notebook: each has what the cell puts out, once', async () => {
  writeNotebook(lab.folder, 'views.ipynb', [
    { source: GATES },
    { source: `display('1'); await gate('e'); display('2'); await gate('f'); display('3')` },
  ]);
  const first = await openNotebook(browser, lab.url('views.ipynb'));
  void runAll(first.page);
  await becomes(async () => (await shown(first.page, 1)).outputs, ['display_data: 1']);
  await save(first.page);
  await first.page.evaluate('jupyterapp.commands.execute("docmanager:clone")');
  const second = await openNotebook(browser, lab.url('views.ipynb'));
  await becomes(() => shown(second.page, 1), { count: null, state: 'running', outputs: ['display_data: 1'] });
  await becomes(() => isDirty(second.page), false);
  open('e');
  for (const { page } of [first, second])
    await becomes(async () => (await shown(page, 1)).outputs, ['display_data: 1', 'display_data: 2']);
  // The file is loaded again, under the cell that runs.
  await first.page.evaluate('jupyterapp.shell.currentWidget.context.revert()');
  await becomes(async () => (await shown(first.page, 1)).outputs, ['display_data: 1']);
  await first.page.evaluate('jupyterapp.shell.currentWidget.context.rename("renamed.ipynb")');
  open('f');
  for (const { page } of [first, second])
    await becomes(() => shown(page, 1), {
      count: 2,
      state: 'idle',
      outputs: ['display_data: 1', 'display_data: 2', 'display_data: 3'],
    });
  await save(first.page);
  assert.deepEqual(texts(saved('renamed.ipynb', 1).outputs), ['display_data: 1', 'display_data: 2', 'display_data: 3']);
  assert.deepEqual(
    [await isDirty(first.page), await isDirty(second.page)],
    [false, false],
    'the page that ran the cell saves it',
  );
  assert.deepEqual(first.errors, []);
  for (const page of [first, second]) await leave(page);
});
