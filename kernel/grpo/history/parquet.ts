import { resolveSettings, text, nullable } from '../../common/settings';
import { RolloutReader, type ScoredRow } from './reader';

/** A column of the file. */
interface Column {
  name: string;
  data: unknown[];
  type: 'INT64' | 'STRING' | 'DOUBLE';
  nullable: boolean;
}

const exportSettings = {
  /** ID of the run. `null` by default: the newest one of the file. */
  run: nullable(text(null, 'the ID of a run')),
};

/** Options of {@link exportRollouts}. */
export interface ExportRolloutsOptions {
  run?: string | null;
}

/**
 * Writes the rollouts of a run into a Parquet file, in the columns of TRL's
 * `completions` files: step, prompt, completion, one for each reward function,
 * those that functions added, and advantage.
 *
 * @param database the file `rollouts.db` of the run
 * @param file the file to write; one that is there is replaced
 * @returns the number of its rows
 * @throws DatabaseError when the database cannot be read or has no such run
 */
export async function exportRollouts(
  database: string,
  file: string,
  options: ExportRolloutsOptions = {},
): Promise<number> {
  const { run } = resolveSettings(
    { owner: 'exportRollouts', noun: 'option', example: "{ run: '…' }", settings: exportSettings },
    options,
  );
  // An ES module, which CommonJS cannot require.
  const { parquetWriteFile } = await import('hyparquet-writer');
  const reader = RolloutReader.open(database);
  try {
    const rows = reader.scored(run ?? reader.newest());
    parquetWriteFile({ filename: file, columnData: columnsOf(rows) as never });
    return rows.length;
  } finally {
    reader.close();
  }
}

function columnsOf(rows: readonly ScoredRow[]): Column[] {
  const namesOf = (part: 'rewards' | 'extra') => [...new Set(rows.flatMap((row) => Object.keys(row[part])))];
  const required = { nullable: false } as const;
  return [
    { name: 'step', data: rows.map(({ step }) => BigInt(step)), type: 'INT64', ...required },
    { name: 'prompt', data: rows.map(({ prompt }) => prompt), type: 'STRING', ...required },
    { name: 'completion', data: rows.map(({ completion }) => completion), type: 'STRING', ...required },
    ...namesOf('rewards').map((name) => doubles(name, rows, ({ rewards }) => rewards[name])),
    ...namesOf('extra').map((name) => extraColumn(name, rows)),
    doubles('advantage', rows, ({ advantage }) => advantage),
  ];
}

function doubles(name: string, rows: readonly ScoredRow[], value: (row: ScoredRow) => unknown): Column {
  return { name, data: rows.map((row) => (value(row) ?? null) as number | null), type: 'DOUBLE', nullable: true };
}

/** Returns a column that reward functions added: numbers where all are, else texts. */
function extraColumn(name: string, rows: readonly ScoredRow[]): Column {
  const values = rows.map(({ extra }) => extra[name] ?? null);
  if (values.every((value) => value === null || typeof value === 'number'))
    return doubles(name, rows, ({ extra }) => extra[name]);
  const data = values.map((value) => (value === null || typeof value === 'string' ? value : JSON.stringify(value)));
  return { name, data, type: 'STRING', nullable: true };
}
