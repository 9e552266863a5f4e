import { consoleTable } from '../../../display/consoleTable';
import { cellContext } from '../../../display/cellContext';
import { currentCell } from '../../cell';
import { replace, type Undo } from '../replace';

/** Makes `console.clear()` remove the outputs of the cell, and `console.table` show a table. */
export function displayConsole(): Undo {
  const printTable = console.table.bind(console);
  return replace(console, {
    clear: () => currentCell()?.output.clear(false),
    table(value: unknown, columns?: readonly string[]) {
      const table = currentCell() ? consoleTable(value, columns) : null;
      if (table) cellContext().display(table);
      else printTable(value, columns);
    },
  });
}
