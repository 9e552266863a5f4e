import Module from 'node:module';
import { host, type MimeBundle } from '../display/host';

interface DisplayData {
  data: MimeBundle;
  metadata: Record<string, unknown>;
  transient: { display_id?: string };
}

/**
 * Makes `import { display } from 'tslab'` show its outputs through the host.
 * tslab's library calls a function of its Jupyter module, which is replaced
 * as a whole: the original opens a second copy of ZeroMQ.
 */
export function connectTslabDisplay(): void {
  const path = require.resolve('tslab/dist/jupyter');
  const module = new Module(path);
  module.filename = path;
  module.loaded = true;
  module.exports = { lastWriteDisplayData };
  require.cache[path] = module;
}

function lastWriteDisplayData({ data, metadata, transient }: DisplayData, update: boolean): void {
  host().display(data, { metadata, displayId: transient.display_id, update });
}
