import { existsSync } from 'node:fs';
import type LibsqlDatabase from 'libsql';

/** A value of a row. */
export type Value = number | string | Uint8Array | null;

/** A failure of a database: its file cannot be opened, read or written. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}

/** The version of the tables below. A file of a newer one is left alone. */
const VERSION = 1;

/**
 * Texts and records that repeat are in `blobs` once, with the number of their
 * uses; a trigger removes those that nothing uses any more. `dictionary` is the
 * run whose dictionary a blob was deflated with, 0 for none.
 */
const TABLES = `
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, started REAL NOT NULL, model TEXT NOT NULL, environment TEXT,
  settings TEXT NOT NULL, secret TEXT NOT NULL, dictionary BLOB
);
CREATE TABLE steps (
  run INTEGER NOT NULL, step INTEGER NOT NULL, rollouts INTEGER NOT NULL, mean REAL, low REAL, high REAL,
  functions TEXT NOT NULL, PRIMARY KEY (run, step)
) WITHOUT ROWID;
CREATE TABLE log (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, step INTEGER NOT NULL, entry TEXT NOT NULL);
CREATE INDEX log_step ON log (run, step);
CREATE TABLE tokens (run INTEGER NOT NULL, token INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (run, token)) WITHOUT ROWID;
CREATE TABLE blobs (
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, uses INTEGER NOT NULL, dictionary INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE rollouts (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL, step INTEGER NOT NULL, position INTEGER NOT NULL, "group" INTEGER NOT NULL,
  reward REAL, advantage REAL NOT NULL, rewards TEXT NOT NULL, "return" REAL, steps INTEGER, ending TEXT,
  prompt INTEGER NOT NULL, completion INTEGER NOT NULL, code INTEGER, parent INTEGER, episode INTEGER,
  tokens BLOB NOT NULL, details TEXT
);
CREATE INDEX rollouts_step ON rollouts (run, step, position);
CREATE INDEX rollouts_reward ON rollouts (run, reward);
CREATE TRIGGER released AFTER DELETE ON rollouts BEGIN
  UPDATE blobs SET uses = uses - 1 WHERE id = old.prompt;
  UPDATE blobs SET uses = uses - 1 WHERE id = old.completion;
  UPDATE blobs SET uses = uses - 1 WHERE id = old.code;
  UPDATE blobs SET uses = uses - 1 WHERE id = old.parent;
  UPDATE blobs SET uses = uses - 1 WHERE id = old.episode;
  DELETE FROM blobs WHERE uses <= 0 AND id IN (old.prompt, old.completion, old.code, old.parent, old.episode);
END;
PRAGMA user_version = ${VERSION};
`;

/**
 * A file of rollouts: SQLite with a write-ahead log, so that it survives a kill
 * of the process that writes it, and others read it meanwhile.
 *
 * #### Notes
 * Values are given as one list: the driver takes a single `Uint8Array` for an
 * object of named values.
 */
export class Database {
  private readonly statements = new Map<string, LibsqlDatabase.Statement>();

  private constructor(
    readonly path: string,
    private readonly connection: LibsqlDatabase.Database,
  ) {}

  /** Opens a file, or makes it. @throws DatabaseError */
  static create(path: string): Database {
    const database = Database.connect(path);
    try {
      database.connection.exec('PRAGMA busy_timeout = 2000; PRAGMA synchronous = NORMAL');
      database.all('PRAGMA journal_mode = WAL');
      const version = database.version();
      if (version === 0) database.transaction(() => database.version() === 0 && database.connection.exec(TABLES));
      else if (version > VERSION) throw new DatabaseError('it was made by a newer version of Joylab');
      return database;
    } catch (error) {
      database.close();
      throw asDatabaseError(path, error);
    }
  }

  /** Opens a file that is there, to read it. @throws DatabaseError */
  static read(path: string): Database {
    // The driver would make the file, whatever its options say.
    if (!existsSync(path))
      throw new DatabaseError(`${path}: there is no such file: no run has kept rollouts there yet`);
    const database = Database.connect(path);
    try {
      database.connection.exec('PRAGMA busy_timeout = 2000; PRAGMA query_only = ON');
      const version = database.version();
      if (version === 0) throw new DatabaseError('it has no rollouts');
      if (version > VERSION) throw new DatabaseError('it was made by a newer version of Joylab');
      return database;
    } catch (error) {
      database.close();
      throw asDatabaseError(path, error);
    }
  }

  private static connect(path: string): Database {
    try {
      // Native code of 9 MB, which only runs that keep their rollouts need; on a platform without it this throws.
      const Libsql = require('libsql') as typeof LibsqlDatabase;
      return new Database(path, new Libsql(path));
    } catch (error) {
      throw asDatabaseError(path, error);
    }
  }

  all<Row = Record<string, Value>>(sql: string, values: readonly Value[] = []): Row[] {
    return this.statement(sql).all([...values]) as Row[];
  }

  run(sql: string, values: readonly Value[] = []): { changes: number; id: number } {
    const { changes, lastInsertRowid } = this.statement(sql).run([...values]);
    return { changes, id: Number(lastInsertRowid) };
  }

  /** Does work in one transaction: all of it is kept, or nothing. */
  transaction<T>(work: () => T): T {
    this.connection.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.connection.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.connection.inTransaction) this.connection.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * Moves what the write-ahead log has into the file, and takes the log away: the file is whole alone then.
   * While another process reads it, the log stays. The driver does neither when it closes.
   */
  checkpoint(): void {
    this.all('PRAGMA wal_checkpoint(TRUNCATE)');
    try {
      this.all('PRAGMA journal_mode = DELETE');
    } catch {
      // It is being read.
    }
  }

  close(): void {
    this.statements.clear();
    this.connection.close();
  }

  private version(): number {
    return this.all<{ user_version: number }>('PRAGMA user_version')[0].user_version;
  }

  private statement(sql: string): LibsqlDatabase.Statement {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.connection.prepare(sql)));
    return statement;
  }
}

/** Returns the bytes of a column, which the driver gives as an ArrayBuffer. */
export function bytesOf(value: unknown): Buffer {
  return value instanceof ArrayBuffer ? Buffer.from(value) : Buffer.from(value as Uint8Array);
}

function asDatabaseError(path: string, error: unknown): DatabaseError {
  const message = error instanceof Error ? error.message : String(error);
  const why = /Unable to open connection/.test(message) ? 'it cannot be opened or made there' : message;
  return error instanceof DatabaseError && error.message.startsWith(path)
    ? error
    : new DatabaseError(`${path}: ${why}`);
}
