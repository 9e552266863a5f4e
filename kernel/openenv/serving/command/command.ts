import { parseArgs } from 'node:util';
import { findEnvironment, loadClass } from './file';
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

/**
 * Runs `joylab serve FILE`: serves the environment of a file until the process is
 * signalled to stop, or exports it. Resolves to the exit code.
 */
export async function serveCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
  if (positionals.length !== 1)
    throw new Error(
      '`joylab serve` takes one file: joylab serve FILE.ts [--port 8000] [--host 127.0.0.1] [--capacity 64] [--allow-origin https://my.example] [--environment NAME] [--export FOLDER]',
    );
  const found = findEnvironment(positionals[0], values.environment);
  if (values.export !== undefined) {
    const { exportEnvironment } = await import('./export.js');
    for (const file of await exportEnvironment(found, values.export, number('capacity', values.capacity)))
      process.stdout.write(`${file}\n`);
    return 0;
  }
  const { schema, metadata } = found;
  const server = await serveClass(await loadClass(found), {
    schema,
    metadata,
    port: number('port', values.port) ?? 8000,
    host: values.host,
    allowedOrigins: values['allow-origin'],
    capacity: number('capacity', values.capacity),
  });
  surviveLateErrors();
  process.stdout.write(`${found.name} is served at ${server.url}\n`);
  await new Promise<void>((stop) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, () => stop())));
  await server.close();
  return 0;
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} ${text} is not a whole number.`);
  return Number(text);
}
