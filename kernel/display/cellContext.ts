/** A MIME bundle: MIME type → data, as in Jupyter's `display_data`. */
export type MimeBundle = Record<string, unknown>;

/** The key under which a bundle may have metadata for its types, such as an image's size: `{ 'image/png': { width: 200 } }`. */
export const bundleMetadata = Symbol('metadata of a MIME bundle');

/** Returns the metadata of a bundle; empty when it has none. */
export function metadataOf(bundle: MimeBundle): Record<string, unknown> {
  return (bundle as { [bundleMetadata]?: Record<string, unknown> })[bundleMetadata] ?? {};
}

/** The kernel's end of a Jupyter comm. Buffers are binary and travel beside the JSON. */
export interface Comm {
  /** Jupyter's `comm_id`. */
  readonly commId: string;
  /** Sends a message to the front end; does nothing once the comm is closed. */
  send(data: object, buffers?: Uint8Array[]): void;
  /** Calls `handler` with each message from the front end. */
  onMessage(handler: (data: any, buffers: Uint8Array[]) => void): void;
  /** Calls `handler` when either end has closed the comm. */
  onClose(handler: () => void): void;
  close(): void;
}

/** Options of {@link CellContext.display}. */
export interface DisplayOptions {
  /** Jupyter's `transient.display_id`: an output with an ID can be updated later. */
  displayId?: string;
  /** Updates the outputs with this `displayId` instead of adding one. False by default. */
  update?: boolean;
  /** Metadata by MIME type, such as an image's size: `{ 'image/png': { width: 200 } }`. */
  metadata?: Record<string, unknown>;
}

/** One run of a cell. */
export interface CellRun {
  /** The cell's ID, the same in each of its runs; undefined when the front end does not send it. */
  readonly id?: string;
  /** Its name in errors: "Cell [3]". */
  readonly label: string;
  /** Whether it runs beside another cell, which goes on. */
  readonly beside?: boolean;
}

/** Something that happens to a cell. */
export type CellEvent =
  /** A run has ended; `ok`: without an error. */
  | { kind: 'ended'; cell: CellRun; ok: boolean }
  /** The user has deleted cells. */
  | { kind: 'deleted'; ids: readonly string[] };

/**
 * The cell that the library runs in, as far as it needs it: its outputs, its
 * interrupts, its comms. The kernel sets its own; in plain Node.js there is one
 * that prints `text/plain`.
 */
export interface CellContext {
  /** Whether outputs are lines of text, which cannot be updated. */
  readonly console?: boolean;
  display(bundle: MimeBundle, options?: DisplayOptions): void;
  /** Takes the output with an ID away, or empties it. Undefined where outputs are lines of text. */
  withdraw?(displayId: string): void;
  /** Removes the running cell's outputs; with `wait`, when the next output arrives. */
  clear?(wait: boolean): void;
  /** Aborted when the running cell is interrupted; in a comm's handler, when the kernel is. A new one for each cell. Never aborted in plain Node.js. */
  readonly signal: AbortSignal;
  /**
   * Returns a function that runs a part of long work, so that an interrupt ends
   * the part although it computes without a pause. Undefined in plain Node.js,
   * where SIGINT ends the process.
   */
  computation?(): (part: () => void) => void;
  /** The run that the calling code belongs to. Undefined where there are no cells. */
  readonly cell?: CellRun | null;
  /** Calls `handler` for each event, as part of the running cell. */
  onCell?(handler: (event: CellEvent) => void): void;
  /** Does `work`, and lets reward cells run beside the running cell meanwhile. Undefined where there are no cells. */
  admitRewards?<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Returns an exception as the notebook shows it, with its position and code, in ANSI colours. */
  describeError?(error: unknown): string;
  /** Opens a comm to the front end, which closes it when it does not know `target`; `metadata` is the message's. Undefined where there is no front end. */
  openComm?(target: string, data?: object, buffers?: Uint8Array[], metadata?: object): Comm;
  /** Calls `onOpen` for each comm that a front end opens on `target`. A later call for the same target replaces the handler. */
  registerCommTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void;
}

/** The context in plain Node.js: prints `text/plain`, and has no comms. */
class ConsoleContext implements CellContext {
  readonly console = true;
  readonly signal = new AbortController().signal;

  display(bundle: MimeBundle): void {
    const text = bundle['text/plain'];
    if (typeof text === 'string') process.stdout.write(text + '\n');
  }

  registerCommTarget(): void {}
}

let current: CellContext = new ConsoleContext();

/** Returns the context of the running cell. */
export function cellContext(): CellContext {
  return current;
}

/** Sets the context that {@link cellContext} returns. The kernel calls this once, at its start. */
export function setCellContext(next: CellContext): void {
  current = next;
}
