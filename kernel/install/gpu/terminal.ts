/** Says what is under way in a terminal: one line that changes, or, in a file, a line for each thing worth one. */
export async function step<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T> {
  const start = Date.now();
  const live = process.stderr.isTTY;
  let detail = '';
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  const draw = () => {
    const line = `  ${title} … ${seconds()}${detail && `: ${detail}`}`;
    process.stderr.write(`\r${line.slice(0, process.stderr.columns - 1)}\x1b[K`);
  };
  const tell = (line: string) => process.stderr.write(live ? `\r${line}\x1b[K\n` : `${line}\n`);
  if (!live) tell(`  ${title} …`);
  const timer = live ? setInterval(draw, 1000) : undefined;
  try {
    const result = await work((text) => {
      detail = text;
      if (live) draw();
      else tell(`    ${text}`);
    });
    tell(`✓ ${title} (${seconds()})`);
    return result;
  } catch (error) {
    tell(`✗ ${title}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Rows of text below one another, each column as wide as its widest cell; the last one is not filled up. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
