/** A MIME bundle: MIME type → data, as in Jupyter's `display_data`. */
export type MimeBundle = Record<string, unknown>;

/** Under this symbol a bundle may carry metadata for its types, such as an image's size: `{ 'image/png': { width: 200 } }`. */
export const bundleMetadata = Symbol('metadata of a MIME bundle');

/** The metadata that a bundle carries. */
export function metadataOf(bundle: MimeBundle): Record<string, unknown> {
  return (bundle as { [bundleMetadata]?: Record<string, unknown> })[bundleMetadata] ?? {};
}

/** One end of a Jupyter comm. Buffers are binary and travel beside the JSON. */
export interface Comm {
  readonly commId: string;
  send(data: object, buffers?: Uint8Array[]): void;
  onMessage(handler: (data: any, buffers: Uint8Array[]) => void): void;
  onClose(handler: () => void): void;
  close(): void;
}

/** Options of {@link Host.display}. */
export interface DisplayOptions {
  /** Jupyter's `transient.display_id`: an output with an ID can be updated later. */
  displayId?: string;
  /** Update the outputs that carry `displayId` instead of adding one. */
  update?: boolean;
  metadata?: Record<string, unknown>;
}

/** One run of a cell. */
export interface CellRun {
  /** The cell's own ID, which stays from run to run; left out where the front end does not tell. */
  readonly id?: string;
  /** Its name in errors: "Cell [3]". */
  readonly label: string;
}

/** Something that happens to a cell. */
export type CellEvent =
  /** A run has come to its end; `ok`: without an error. */
  | { kind: 'ended'; cell: CellRun; ok: boolean }
  /** The front end says that the user deleted cells. */
  | { kind: 'deleted'; ids: readonly string[] };

/**
 * The program that the library runs in. The kernel installs its
 * own host; in plain Node.js a console host prints `text/plain`.
 */
export interface Host {
  /** True where outputs are lines of text that cannot be updated. */
  readonly console?: boolean;
  display(bundle: MimeBundle, options?: DisplayOptions): void;
  /** Removes the running cell's outputs; with `wait`, when the next output arrives. */
  clear?(wait: boolean): void;
  /** Aborted when the running cell is interrupted (Ctrl-C in plain Node.js), in a comm's handler when the kernel is. A new one for each cell. */
  readonly signal: AbortSignal;
  /**
   * For work that is done in parts of which each may compute without a pause:
   * gives what runs a part, so that an interrupt ends it. Left out where SIGINT
   * alone does.
   */
  computation?(): (part: () => void) => void;
  /** The run that the calling code belongs to. Left out where there are no cells. */
  readonly cell?: CellRun | null;
  /** Calls `handler` for each event, as part of the running cell. */
  onCell?(handler: (event: CellEvent) => void): void;
  /** An exception as the notebook shows it, with place and code; ANSI colours. */
  describeError?(error: unknown): string;
  /** Opens a comm to the front end, which knows `target` or closes it again. Left out where there is no front end. */
  openComm?(target: string, data?: object, buffers?: Uint8Array[]): Comm;
  /** Called for each comm that a front end opens on `target`. A later call for the same target replaces the earlier. */
  registerCommTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void;
}

/** Prints `text/plain`; nothing can open a comm. */
class ConsoleHost implements Host {
  readonly console = true;
  readonly signal = new AbortController().signal;

  display(bundle: MimeBundle): void {
    const text = bundle['text/plain'];
    if (typeof text === 'string') process.stdout.write(text + '\n');
  }

  registerCommTarget(): void {}
}

let current: Host = new ConsoleHost();

/** The host that the library runs in. */
export function host(): Host {
  return current;
}

/** Installs the host: the kernel calls it once, at start. */
export function setHost(next: Host): void {
  current = next;
}
