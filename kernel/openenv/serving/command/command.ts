import { rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findEnvironment, loadClass, type FoundClass } from './file';
import { surviveLateErrors } from '../lateErrors';
import { serveClass } from '../server';

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  'allow-origin': { type: 'string', multiple: true },
  capacity: { type: 'string' },
  environment: { type: 'string' },
  export: { type: 'string' },
} as const;

/** Returns a class of a notebook and all that it needs, as a module that exports it. */
export type ReadNotebook = (path: string, name: string | undefined) => Promise<string>;

/**
 * Runs `joylab serve FILE`: serves the environment of a file, or of a notebook, until the
 * process is signalled to stop, or exports it. Resolves to the exit code.
 */
export async function serveCommand(args: string[], readNotebook: ReadNotebook): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
  if (positionals.length !== 1)
    throw new Error(
      '`joylab serve` takes one file: joylab serve FILE.ts|NOTEBOOK.ipynb [--port 8000] [--host 127.0.0.1] [--capacity 64] [--allow-origin https://my.example] [--environment NAME] [--export FOLDER]',
    );
  const [file] = positionals;
  const capacity = number('capacity', values.capacity);
  const { name, options, files } = await withClass(file, values.environment, readNotebook, async (found) => {
    const { name, schema, metadata } = found;
    const { exportEnvironment } = await import('./export.js');
    return values.export === undefined
      ? { name, options: { type: await loadClass(found), schema, metadata } }
      : { name, files: await exportEnvironment(found, values.export, capacity) };
  });
  if (files) {
    for (const written of files) process.stdout.write(`${written}\n`);
    return 0;
  }
  const { type, ...described } = options;
  const server = await serveClass(type, {
    ...described,
    port: number('port', values.port) ?? 8000,
    host: values.host,
    allowedOrigins: values['allow-origin'],
    capacity,
  });
  surviveLateErrors();
  process.stdout.write(`${name} is served at ${server.url}\n`);
  await new Promise<void>((stop) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, () => stop())));
  await server.close();
  return 0;
}

/** Does something with the class of a file; that of a notebook is a file beside it meanwhile, so that its imports are found. */
async function withClass<Result>(
  path: string,
  name: string | undefined,
  readNotebook: ReadNotebook,
  use: (found: FoundClass) => Promise<Result>,
): Promise<Result> {
  if (!path.endsWith('.ipynb')) return use(findEnvironment(path, name));
  const file = join(dirname(resolve(path)), `.${basename(path, '.ipynb')}-${process.pid}.ts`);
  const text = await readNotebook(path, name);
  try {
    writeFileSync(file, text);
    return await use(findEnvironment(file, undefined, { checked: false }));
  } finally {
    rmSync(file, { force: true });
  }
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} ${text} is not a whole number.`);
  return Number(text);
}
