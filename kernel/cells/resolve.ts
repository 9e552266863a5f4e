import Module from 'node:module';
import { join } from 'node:path';

type Resolve = (request: string, ...rest: unknown[]) => string;

/**
 * Makes `require('joylab')` find this package from any folder: it is the
 * kernel's own copy, so that a notebook and the kernel share one host.
 */
export function resolveJoylab(packageRoot: string): void {
  const internals = Module as unknown as { _resolveFilename: Resolve };
  const original = internals._resolveFilename;
  const main = join(packageRoot, 'dist', 'kernel', 'index.js');
  internals._resolveFilename = function (this: unknown, request, ...rest) {
    return request === 'joylab' ? main : original.call(this, request, ...rest);
  };
}
