import { parseArgs } from 'node:util';
import type { FromPretrainedOptions } from '../../models';
import { surviveLateErrors } from '../../openenv/serving';
import { startServer } from './server';

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  name: { type: 'string' },
  'api-key-env': { type: 'string' },
  'allow-origin': { type: 'string', multiple: true },
  'max-seq-length': { type: 'string' },
  backend: { type: 'string' },
  'load-in-4bit': { type: 'boolean' },
  'load-in-8bit': { type: 'boolean' },
} as const;

/**
 * Runs `joylab serve-model FOLDER`: serves a model by OpenAI's protocol until the
 * process is signalled to stop. Resolves to the exit code.
 */
export async function serveModelCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: OPTIONS });
  if (positionals.length !== 1)
    throw new Error(
      '`joylab serve-model` takes one model, a folder, a GGUF file or a name: joylab serve-model FOLDER [--port 8001] [--host 127.0.0.1] [--name NAME] [--api-key-env VARIABLE] [--allow-origin https://my.example] [--max-seq-length N] [--load-in-4bit | --load-in-8bit] [--backend onnx]',
    );
  const [modelName] = positionals;
  const port = whole('port', values.port) ?? 8001;
  const { FastLanguageModel } = await import('../../models/index.js');
  const { model } = await FastLanguageModel.fromPretrained({
    modelName,
    maxSeqLength: whole('max-seq-length', values['max-seq-length']),
    loadIn4bit: values['load-in-4bit'] ?? false,
    loadIn8bit: values['load-in-8bit'] ?? false,
    backend: values.backend as FromPretrainedOptions['backend'],
  });
  const server = await startServer(model, {
    port,
    host: values.host,
    name: values.name,
    apiKeyEnv: values['api-key-env'],
    allowedOrigins: values['allow-origin'],
  });
  surviveLateErrors();
  process.stdout.write(`${server.name} is served at ${server.baseUrl}\n`);
  await new Promise<void>((stop) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, () => stop())));
  await server.close();
  await model.dispose();
  return 0;
}

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} ${text} is not a whole number.`);
  return Number(text);
}
