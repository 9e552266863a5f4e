import type { MimeBundle } from '../display/cellContext';

/** Characters of outputs that are kept to be published anew, at most. */
const LIMIT = 1 << 20;
/** Milliseconds after which a person may have used a view. */
const USED_AFTER = 2000;

/** An output that is shown. */
interface Shown {
  type: string;
  content: Record<string, any>;
  displayId?: string;
  at: number;
}

/**
 * The outputs of a request, so that one of them can be taken away: Jupyter's
 * protocol can only empty one, or remove all. Those that stay are published anew.
 */
export class ShownOutputs {
  private shown: Shown[] = [];
  private size = 0;
  /** Whether `shown` is all that there is. */
  private isWhole = true;
  private clearNext = false;

  /** @param send publishes a message, and returns its characters */
  constructor(private readonly send: (type: string, content: Record<string, any>) => number) {}

  /** Notes text of a stream that is published on another way. */
  stream(name: string, text: string): void {
    const last = this.shown.at(-1);
    if (!this.clearNext && last?.type === 'stream' && last.content.name === name && this.fits(text.length))
      last.content.text += text;
    else this.note({ type: 'stream', content: { name, text } }, text.length);
  }

  /** Notes that there are outputs which are not known here. */
  unknown(): void {
    this.isWhole = false;
  }

  publish(type: string, content: Record<string, any>): void {
    const size = this.send(type, content);
    const displayId: string | undefined = content.transient?.display_id;
    // As in front ends, a new display also updates those that had its ID before.
    if (displayId !== undefined)
      for (const one of this.shown) if (one.displayId === displayId) one.content = { ...one.content, ...content };
    if (type !== 'update_display_data') this.note({ type, content, displayId }, size);
  }

  clear(wait: boolean): void {
    this.send('clear_output', { wait });
    if (wait) this.clearNext = true;
    else this.forget();
  }

  /** Takes the output with a display ID away; empties it where another output would lose what a person did there. */
  withdraw(displayId: string): void {
    const rest = this.shown.filter((one) => one.displayId !== displayId);
    const isUsed = rest.some(({ content, at }) => isView(content.data) && Date.now() - at > USED_AFTER);
    if (!this.isWhole || this.clearNext || rest.length === this.shown.length || isUsed)
      return this.publish('update_display_data', { data: {}, metadata: {}, transient: { display_id: displayId } });
    this.clear(false);
    for (const one of rest) this.send(one.type, one.content);
    this.shown = rest;
  }

  private note(output: Omit<Shown, 'at'>, size: number): void {
    if (this.clearNext) this.forget();
    if (this.fits(size)) this.shown.push({ ...output, at: Date.now() });
  }

  private fits(size: number): boolean {
    this.size += size;
    if (this.size > LIMIT) {
      this.isWhole = false;
      this.shown = [];
    }
    return this.isWhole;
  }

  private forget(): void {
    Object.assign(this, { shown: [], size: 0, isWhole: true, clearNext: false });
  }
}

/** Returns whether a bundle has a view of its own in front ends, with buttons and positions. */
function isView(data: MimeBundle | undefined): boolean {
  return Object.keys(data ?? {}).some((type) => /^application\/(?!json$)/.test(type));
}
