import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { describe } from './describe';
import { cellContext, type DisplayOptions, type MimeBundle } from './cellContext';
import { outputsWait, showInTurn } from './outputQueue';

export { clearOutput, display, DisplayHandle };
export { image, type ImageOptions } from './pictures/image';
export { html, Markup, md, svg, type MarkupTag } from './markup';
export * from './comm';
export type { DisplayOptions, MimeBundle };

/**
 * An output of a cell: `const progress = display('0 %'); progress.update('50 %');`.
 * Awaiting it waits until it is shown. It does not reject: an object that cannot
 * be displayed is shown as an error message.
 */
class DisplayHandle implements PromiseLike<void> {
  /** @param displayId Jupyter's `transient.display_id` of the output */
  constructor(
    readonly displayId: string,
    private readonly shown: Promise<void>,
  ) {}

  /** Shows another value in its place, and returns a handle of the same output. */
  update(value: unknown, options: Pick<DisplayOptions, 'metadata'> = {}): DisplayHandle {
    return display(value, { ...options, displayId: this.displayId, update: true });
  }

  then<A = void, B = never>(
    done?: ((value: void) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.shown.then(done, failed);
  }

  /** Returns an empty bundle: as the result of a cell it shows nothing, since its value is shown already. */
  [Symbol.for('Jupyter.display')](): MimeBundle {
    return {};
  }
}

/**
 * Shows `value` under the cell: the MIME bundle that its
 * `Symbol.for('Jupyter.display')` method returns, a MIME bundle as it is, an
 * array of records as a table, an image's bytes as the image, anything else as
 * text.
 *
 * @param options.displayId an ID by which the output can be updated later
 * @param options.update updates the outputs of that ID instead of adding one
 * @param options.metadata metadata by MIME type
 * @returns a handle that updates the output, and that can be awaited
 */
function display(value: unknown, options: DisplayOptions = {}): DisplayHandle {
  const displayId = options.displayId ?? randomUUID();
  const show = (bundle: MimeBundle): void => cellContext().display(bundle, { ...options, displayId });
  const bundle = describeSafely(value);
  if (bundle instanceof Promise || outputsWait()) return new DisplayHandle(displayId, showInTurn(bundle, show));
  show(bundle);
  return new DisplayHandle(displayId, Promise.resolve());
}

/**
 * Removes the outputs of the cell.
 *
 * @param options.wait removes them only when the next output arrives, so that nothing flickers; `false` by default
 */
function clearOutput({ wait = false }: { wait?: boolean } = {}): void {
  cellContext().clear?.(wait);
}

function describeSafely(value: unknown): MimeBundle | Promise<MimeBundle> {
  if (typeof value === 'string') return { 'text/plain': value };
  try {
    const bundle = describe(value);
    return bundle instanceof Promise ? bundle.catch(failed) : bundle;
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): MimeBundle {
  return {
    'text/plain': `This object could not be displayed. ${error instanceof Error ? error.message : inspect(error)}`,
  };
}
