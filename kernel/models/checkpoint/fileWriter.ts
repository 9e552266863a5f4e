import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** A new file that is written from its beginning to its end. */
export class FileWriter {
  private readonly file: number;
  private open = true;
  /** Bytes written so far. */
  protected written = 0;

  constructor(path: string) {
    this.file = openSync(path, 'w');
  }

  /** Flushes the file to the disk and closes it. */
  close(): void {
    fsyncSync(this.file);
    this.abandon();
  }

  /** Closes a file that will not be used. */
  abandon(): void {
    if (this.open) closeSync(this.file);
    this.open = false;
  }

  protected bytes(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done);
    this.written += bytes.length;
  }
}
