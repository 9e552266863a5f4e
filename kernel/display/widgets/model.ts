import { AsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { inspect, isDeepStrictEqual } from 'node:util';
import { cellContext, type Comm, type MimeBundle } from '../cellContext';
import { fromWire, reference, toWire } from './wire';

const VIEW = 'application/vnd.jupyter.widget-view+json';

/** The version of the protocol of Jupyter's widgets, sent with each model that is opened. */
const PROTOCOL = '2.1.0';

/** What viewers without Jupyter's widgets show below the text of a widget. */
const HOW_TO_SEE =
  'This is a Jupyter widget. It is shown where the Python package anywidget is installed beside JupyterLab (`pip install anywidget`, then reload the page), and the notebook has a kernel.';

/** A kind of widget: its classes in the front end, and how its state is written there. */
export interface WidgetKind<State> {
  /** Its name in texts. */
  readonly name: string;
  /** Fields of the protocol that never change: `_model_name` and the like. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Values that texts leave out. */
  readonly defaults?: Partial<State>;
  /** Returns values that may be set, changed where they have to; throws a TypeError that says why they may not. */
  checked?(values: Partial<State>, state: State): Partial<State>;
  /** Returns values under the front end's names, where these differ. */
  toFrontEnd?(values: Partial<State>, state: State): Record<string, unknown>;
  /** The reverse. */
  fromFrontEnd?(values: Record<string, unknown>, state: State): Partial<State>;
}

/** Name of the method that returns a widget's state with the fields of its kind. */
export const wholeState = Symbol('whole state of a widget');

type Handler = (...values: any[]) => unknown;

/** Models that a front end may ask for, by ID. */
const models = new Map<string, WidgetModel<any>>();

/**
 * The kernel's end of a Jupyter widget: a state that the kernel and all views
 * share, whoever changes it. As the last expression of a cell it is displayed;
 * each display is a view of the same state. The values of the state are
 * properties, too: `slider.value = 2`.
 *
 * #### Notes
 * Handlers run while a cell awaits something. What they print, and their errors,
 * are shown below the cell that added them. Outside of a notebook there is the
 * state and no view.
 */
export class WidgetModel<State extends object> {
  // Names of private fields are not taken from the user's values.
  readonly #kind: WidgetKind<State>;
  readonly #state: State;
  readonly #comm: Comm | undefined;
  readonly #handlers = new Map<string, Map<Handler, Handler>>();

  constructor(kind: WidgetKind<State>, state: State) {
    this.#kind = kind;
    this.#state = state;
    Object.assign(state, kind.checked?.(state, state));
    const { buffers, ...data } = toWire(this[wholeState]());
    this.#comm = cellContext().openComm?.('jupyter.widget', data, buffers, { version: PROTOCOL });
    this.modelId = this.#comm?.commId ?? randomUUID();
    if (this.#comm) models.set(this.modelId, this);
    this.#comm?.onMessage((message, binary) => this.#receive(message, binary));
    this.#comm?.onClose(() => models.delete(this.modelId));
    for (const key of Object.keys(state) as Array<keyof State & string>) {
      if (key in this) continue;
      const set = (value: State[typeof key]): void => this.set(key, value);
      Object.defineProperty(this, key, { get: () => this.get(key), set, enumerable: true });
    }
  }

  /** Its ID in the notebook: that of its comm. */
  readonly modelId: string;

  /** What stands for it in the state of another widget. */
  get [reference](): string {
    return `IPY_MODEL_${this.modelId}`;
  }

  get<Key extends keyof State>(key: Key): State[Key] {
    return this.#state[key];
  }

  /** Sets one value, or several: in every view, too. Throws a TypeError where the widget has no such value, or it cannot be that. */
  set<Key extends keyof State>(key: Key, value: State[Key]): void;
  set(values: Partial<State>): void;
  set(key: keyof State | Partial<State>, value?: unknown): void {
    const values = (typeof key === 'object' ? key : { [key]: value }) as Partial<State>;
    for (const name of Object.keys(values)) if (!Object.hasOwn(this.#state, name)) throw this.#unknown(name);
    const changed = this.#changed(this.#kind.checked?.(values, this.#state) ?? values);
    if (Object.keys(changed).length > 0) this.#sendState('update', changed);
    this.#apply(changed);
  }

  /**
   * Calls `handler` when a value changes, here or in a view.
   *
   * @param event `change:` and the name of a value, whose new value the handler gets;
   *   `change` for any; `msg:custom` for messages that a view sends with `model.send`;
   *   `click` for a button
   */
  on<Key extends keyof State & string>(event: `change:${Key}`, handler: (value: State[Key]) => unknown): void;
  on(event: 'change' | 'click', handler: () => unknown): void;
  on(event: 'msg:custom', handler: (content: any, buffers: Uint8Array[]) => unknown): void;
  on(event: string, handler: Handler): void {
    const name = event.startsWith('change:') ? event.slice('change:'.length) : null;
    if (name !== null && !Object.hasOwn(this.#state, name)) throw this.#unknown(name);
    const known = this.#handlers.get(event) ?? new Map<Handler, Handler>();
    // What it prints belongs to the cell that adds it.
    this.#handlers.set(event, known.set(handler, AsyncResource.bind(guarded(handler))));
  }

  /** Calls a handler no more, or none of an event. */
  off(event: string, handler?: Handler): void {
    if (handler) this.#handlers.get(event)?.delete(handler);
    else this.#handlers.delete(event);
  }

  /** Sends a message to the views, where `model.on('msg:custom', …)` gets it. */
  send(content: unknown, buffers: Uint8Array[] = []): void {
    this.#comm?.send({ method: 'custom', content }, buffers);
  }

  /** Removes its views. The state stays. */
  close(): void {
    this.#comm?.close();
  }

  /** Returns the view as a MIME bundle, with a text for viewers without widgets. */
  [Symbol.for('Jupyter.display')](): MimeBundle {
    const view = { version_major: 2, version_minor: 0, model_id: this.modelId };
    return { [VIEW]: view, 'text/plain': `${this[inspect.custom]()}\n${HOW_TO_SEE}` };
  }

  [inspect.custom](): string {
    const isShown = ([name, value]: [string, unknown]): boolean =>
      name === 'value' || !isDeepStrictEqual(value, this.#kind.defaults?.[name as keyof State]);
    const values = Object.fromEntries(Object.entries(this.#state).filter(isShown));
    const text = inspect(values, { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: 60 });
    return `${this.#kind.name}(${text.length > 200 ? `${text.slice(0, 200)} …` : text})`;
  }

  /** Returns its state with the fields of its kind, under the front end's names. */
  [wholeState](): Record<string, unknown> {
    return { ...this.#kind.fields, ...this.#named(this.#state) };
  }

  #named(values: Partial<State>): object {
    return this.#kind.toFrontEnd?.(values, this.#state) ?? values;
  }

  #changed(values: Partial<State>): Partial<State> {
    // An object may have been changed in its place.
    const isSame = (one: unknown, other: unknown): boolean =>
      typeof one === 'object' && one !== null ? one !== other && isDeepStrictEqual(one, other) : Object.is(one, other);
    const entries = Object.entries(values).filter(([name, value]) => !isSame(value, this.#state[name as keyof State]));
    return Object.fromEntries(entries) as Partial<State>;
  }

  #apply(changed: Partial<State>): void {
    const names = Object.keys(changed);
    if (names.length === 0) return;
    Object.assign(this.#state, changed);
    for (const name of names) this.#emit(`change:${name}`, this.#state[name as keyof State]);
    this.#emit('change');
  }

  #emit(event: string, ...values: unknown[]): void {
    for (const handler of [...(this.#handlers.get(event)?.values() ?? [])]) handler(...values);
  }

  #sendState(method: 'update' | 'echo_update', values: Partial<State>): void {
    const { buffers, ...data } = toWire(this.#named(values));
    this.#comm?.send({ method, ...data }, buffers);
  }

  /** Handles a message of a view. */
  #receive(data: any, buffers: Uint8Array[]): void {
    if (data?.method === 'update') this.#update(fromWire(data, buffers));
    else if (data?.method === 'request_state') this.#sendState('update', this.#state);
    else if (data?.method === 'custom') {
      this.#emit('msg:custom', data.content, buffers);
      if (typeof data.content?.event === 'string') this.#emit(data.content.event);
    }
  }

  /** Takes values of a view, and tells the other views, which may be of another page. */
  #update(values: Record<string, unknown>): void {
    const given = this.#kind.fromFrontEnd?.(values, this.#state) ?? (values as Partial<State>);
    const known = Object.fromEntries(
      Object.entries(given).filter(([name]) => Object.hasOwn(this.#state, name)),
    ) as Partial<State>;
    if (Object.keys(known).length === 0) return;
    this.#sendState('echo_update', known);
    const changed = this.#changed(this.#possible(known));
    const before = Object.fromEntries(Object.keys(known).map((name) => [name, this.#state[name as keyof State]]));
    const corrected = Object.entries<unknown>({ ...before, ...changed }).filter(
      ([name, value]) => !isDeepStrictEqual(value, known[name as keyof State]),
    );
    if (corrected.length > 0) this.#sendState('update', Object.fromEntries(corrected) as Partial<State>);
    this.#apply(changed);
  }

  /** Returns what the widget can take of the values of a view. */
  #possible(values: Partial<State>): Partial<State> {
    try {
      return this.#kind.checked?.(values, this.#state) ?? values;
    } catch {
      return {};
    }
  }

  #unknown(name: string): TypeError {
    return new TypeError(`${this.#kind.name} has no "${name}". It has: ${Object.keys(this.#state).join(', ')}.`);
  }
}

/** Returns the models that are open, by ID. */
export function openModels(): ReadonlyMap<string, WidgetModel<any>> {
  return models;
}

/** Returns a handler whose error is reported as one that no code caught: others are called all the same. */
function guarded(handler: Handler): Handler {
  return (...values) => {
    try {
      return handler(...values);
    } catch (error) {
      void Promise.reject(error);
    }
  };
}
