import { randomUUID } from 'node:crypto';
import { WidgetModel, type WidgetKind } from './model';

/** A widget: its model, whose values are properties, too. */
export type Widget<State extends object> = WidgetModel<State> & State;

/** The front end's end of a widget, as anywidget's functions get it. */
export interface FrontEndModel<State> {
  get<Key extends keyof State>(key: Key): State[Key];
  /** Sets a value in the page; `save_changes` sends it. */
  set<Key extends keyof State>(key: Key, value: State[Key]): void;
  /** Sends what was set to the kernel and to other pages. */
  save_changes(): void;
  on(event: 'msg:custom', callback: (content: any, buffers: DataView[]) => void): void;
  on(event: string, callback: () => void): void;
  off(event?: string | null, callback?: ((...values: any[]) => void) | null): void;
  /** Sends a message to the kernel, where `on('msg:custom', …)` gets it. */
  send(content: unknown, callbacks?: unknown, buffers?: Array<ArrayBuffer | ArrayBufferView>): void;
}

/** An element of a page, where the notebook knows the browser's types. */
type PageElement = typeof globalThis extends { HTMLElement: { prototype: infer Type } } ? Type : any;

/** What anywidget gives to `render`. */
export interface RenderContext<State> {
  model: FrontEndModel<State>;
  /** The element of the view, empty. */
  el: PageElement;
}

type Awaitable<Value> = Value | Promise<Value>;

/** Options of {@link widget}: those of `@anywidget/deno`, and `esm` and `css` of anywidget. */
export interface WidgetOptions<State extends object> {
  /** The values that kernel and views share: JSON, and bytes as typed arrays. */
  state: State;
  /**
   * Draws a view. It runs in the browser: it is sent as text, so that it can use what
   * `imports` names and its arguments, and nothing else of the notebook. It may return
   * a function that is called when the view is removed.
   */
  render?: (context: RenderContext<State>) => Awaitable<void | (() => Awaitable<void>)>;
  /** Import statements of `render`: `import * as d3 from 'https://esm.sh/d3@7';`. */
  imports?: string;
  /** In place of `render`: the text of a module in anywidget's format, for example of a bundle. */
  esm?: string;
  /** A style sheet of the page, with the view. */
  css?: string;
  /** The version of anywidget in the front end. Whichever is there by default. */
  version?: string;
}

/**
 * Makes an anywidget: a view in the browser and a state that it shares with the
 * kernel. Written as for `@anywidget/deno`.
 *
 * @throws TypeError without `state`, or without one of `render` and `esm`
 */
export function widget<State extends object>({
  state,
  css,
  version = '*',
  ...code
}: WidgetOptions<State>): Widget<State> {
  if (typeof state !== 'object' || state === null)
    throw new TypeError('widget needs the values that kernel and view share: widget({ state: { value: 0 }, render }).');
  const fields = {
    ...classes('anywidget', version, 'AnyModel', 'AnyView'),
    _anywidget_id: `joylab.${randomUUID()}`,
    _esm: moduleText(code),
    ...(css !== undefined && { _css: css }),
  };
  return modelOf({ name: 'widget', fields }, { ...state });
}

/** Returns the module of a view. */
function moduleText({ render, imports = '', esm }: Pick<WidgetOptions<any>, 'render' | 'imports' | 'esm'>): string {
  if ((render === undefined) === (esm === undefined))
    throw new TypeError('widget needs one of render, a function that draws the view, and esm, the text of a module.');
  if (esm !== undefined) return esm;
  const text = String(render);
  // A method is written without the word `function`.
  const member = /^(async\s+)?render\s*\(/.test(text) ? text : `render: ${text}`;
  return `${imports}\nexport default { ${member} };\n`;
}

/** Returns the fields that name the front end's classes of a widget. */
export function classes(module: string, version: string, model: string, view: string): Record<string, unknown> {
  return {
    _model_module: module,
    _model_module_version: version,
    _model_name: model,
    _view_module: module,
    _view_module_version: version,
    _view_name: view,
    _view_count: null,
  };
}

/** Returns a widget of a kind. */
export function modelOf<State extends object>(kind: WidgetKind<State>, state: State): Widget<State> {
  return new WidgetModel(kind, state) as Widget<State>;
}
