import { host, type Comm } from './host';

export { openComm, registerCommTarget };
export type { Comm };

/**
 * Opens a comm: a channel to code in the front end, for JSON and binary data.
 *
 * @param target the name under which the front end registered its side
 * @param buffers binary data that travels beside `data`
 */
function openComm(target: string, data: object = {}, buffers: Uint8Array[] = []): Comm {
  const comm = host().openComm?.(target, data, buffers);
  if (!comm) throw new Error(`There is no front end to open the comm '${target}' to: this works in a notebook only.`);
  return comm;
}

/** Calls `onOpen` for each comm that the front end opens on `target`. A later call for the same target replaces the earlier. */
function registerCommTarget(target: string, onOpen: (comm: Comm, data: any, buffers: Uint8Array[]) => void): void {
  host().registerCommTarget(target, onOpen);
}
