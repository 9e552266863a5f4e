import type { Cell, CodeCell } from '@jupyterlab/cells';

/** Returns what the outputs of a cell have of a MIME type. */
export function shown<Data>({ model }: Cell, type: string): Data[] {
  if (model.type !== 'code') return [];
  const { outputs } = model as CodeCell['model'];
  return Array.from({ length: outputs.length }, (_, i) => outputs.get(i).data[type] as Data | undefined).filter(
    (data) => data !== undefined,
  );
}
