import type { ICodeCellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';
import type { KernelMessage } from '@jupyterlab/services';
import { JSONExt, type ReadonlyJSONObject } from '@lumino/coreutils';
import { keepWidgetKeys } from './keys';

const VIEW = 'application/vnd.jupyter.widget-view+json';
const STATE = 'application/vnd.jupyter.widget-state+json';

type Path = Array<string | number>;

/** A binary value of a state. */
interface SavedBuffer {
  path: Path;
  data: string;
  encoding: 'base64';
}

/** A model as a notebook has it. */
interface SavedModel {
  model_name: unknown;
  model_module: unknown;
  model_module_version: unknown;
  state: Record<string, any>;
  buffers?: SavedBuffer[];
}

// Loaded once, with the first widget.
keepWidgetKeys();

/** The states of the widgets of a notebook, as the messages of its kernel tell them. */
export class WidgetStates {
  private readonly models = new Map<string, SavedModel>();

  constructor(private readonly notebook: INotebookModel) {}

  /** Takes a comm message of the kernel. */
  receive({ header, content, buffers = [] }: KernelMessage.IMessage): void {
    const { comm_id: id, target_name: target, data } = content as Record<string, any>;
    if (header.msg_type === 'comm_close') this.models.delete(id);
    else if (header.msg_type === 'comm_open') {
      if (target === 'jupyter.widget') this.put(id, data.state, data.buffer_paths, buffers);
    } else if (data?.method === 'update_states') this.putAll(data, buffers);
    else if (this.models.has(id) && (data?.method === 'update' || data?.method === 'echo_update')) {
      this.put(id, data.state, data.buffer_paths, buffers);
      this.notebook.dirty = true;
    }
  }

  /** Forgets all models: their kernel is gone. */
  forget(): void {
    this.models.clear();
  }

  /** Writes the states of the widgets that the notebook shows into its metadata. Of those that no kernel has any more, what was saved before stays. */
  save(): void {
    const before = this.notebook.getMetadata('widgets') as Record<string, any> | undefined;
    const kept: Record<string, SavedModel> = before?.[STATE]?.state ?? {};
    const state: Record<string, SavedModel> = {};
    const add = (id: string): void => {
      const model = this.models.get(id) ?? kept[id];
      if (!model || state[id]) return;
      state[id] = model;
      for (const [, other] of JSON.stringify(model.state).matchAll(/"IPY_MODEL_([^"]+)"/g)) add(other);
    };
    for (const id of this.shown()) add(id);
    if (Object.keys(state).length === 0) {
      if (before) this.notebook.deleteMetadata('widgets');
      return;
    }
    const after = { [STATE]: { version_major: 2, version_minor: 0, state } };
    if (!JSONExt.deepEqual(after as never, (before ?? null) as never))
      this.notebook.setMetadata('widgets', after as never);
  }

  /** Returns the IDs of the models that outputs show. */
  private shown(): string[] {
    return [...this.notebook.cells]
      .filter((cell): cell is ICodeCellModel => cell.type === 'code')
      .flatMap(({ outputs }) => outputs.toJSON())
      .map((output) => ((output.data ?? {}) as ReadonlyJSONObject)[VIEW] as { model_id?: string } | undefined)
      .flatMap((view) => view?.model_id ?? []);
  }

  private putAll(data: Record<string, any>, buffers: ReadonlyArray<ArrayBuffer | ArrayBufferView>): void {
    const paths: Path[] = data.buffer_paths ?? [];
    for (const [id, { state }] of Object.entries<SavedModel>(data.states ?? {})) {
      const own = paths.flatMap((path, i) => (path[0] === id ? [i] : []));
      this.put(
        id,
        state,
        own.map((i) => paths[i].slice(2)),
        own.map((i) => buffers[i]),
      );
    }
  }

  /** Takes values of a model, which is a new one where it is not known. */
  private put(
    id: string,
    values: Record<string, any> = {},
    paths: Path[] = [],
    buffers: ReadonlyArray<ArrayBuffer | ArrayBufferView>,
  ): void {
    const known = this.models.get(id);
    const state = { ...known?.state, ...values };
    const replaced = new Set<string | number>([...Object.keys(values), ...paths.map(([first]) => first)]);
    const others = (known?.buffers ?? []).filter(({ path }) => !replaced.has(path[0]));
    const added = paths.map((path, i): SavedBuffer => ({ path, data: base64(buffers[i]), encoding: 'base64' }));
    const all = [...others, ...added];
    this.models.set(id, {
      model_name: state._model_name,
      model_module: state._model_module,
      model_module_version: state._model_module_version,
      state,
      ...(all.length > 0 && { buffers: all }),
    });
  }
}

function base64(buffer: ArrayBuffer | ArrayBufferView): string {
  const bytes = ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
