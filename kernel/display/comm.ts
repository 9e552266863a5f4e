import { cellContext, type Comm } from './cellContext';

export { openComm, registerCommTarget };
export type { Comm };

/**
 * Opens a comm, Jupyter's connection to code in the front end, for JSON and
 * binary data, and returns the kernel's end.
 *
 * @param target the name under which the front end registered its end
 * @param data JSON for the front end's handler
 * @param buffers binary data that travels beside `data`
 * @throws Error outside a notebook: there is no front end
 */
function openComm(target: string, data: object = {}, buffers: Uint8Array[] = []): Comm {
  const comm = cellContext().openComm?.(target, data, buffers);
  if (!comm) throw new Error(`There is no front end to open the comm '${target}' to: this works in a notebook only.`);
  return comm;
}

/** Calls `onOpen` with each comm that the front end opens on `target`, and with its data and buffers. A later call for the same target replaces the handler. */
function registerCommTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void {
  cellContext().registerCommTarget(target, onOpen);
}
