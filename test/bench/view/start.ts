import { textTable } from '../../../kernel/display/table';
import { writeNotebook } from '../../extension/notebooks';
import { loadedScripts } from '../../extension/scripts';
import { inLab } from './page';

/** JavaScript that a page loads from the extension before there is an output of it. */
export async function start(): Promise<void> {
  const sizes = await inLab(async (lab, open) => {
    writeNotebook(lab.folder, 'empty.ipynb', [{ source: '' }]);
    const { page } = await open('empty.ipynb');
    await page.waitForTimeout(3000);
    return loadedScripts(page);
  });
  const rows = sizes.map(({ name, size }) => [name, kilobytes(size)]);
  const all = sizes.reduce((sum, { size }) => sum + size, 0);
  console.log(
    textTable([{ title: 'file', align: 'left' }, { title: 'size' }], [...rows, ['together', kilobytes(all)]]),
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
