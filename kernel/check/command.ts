import { parseArgs } from 'node:util';
import { openenv } from '../environments/openenv';
import { checkEnv } from './check';

const USAGE = 'joylab check TARGET [--options JSON] [--seconds NUMBER] [--max-steps NUMBER] [--target NUMBER] [--json]';

/**
 * `joylab check TARGET`: prints the report of an environment, as text or as JSON. The
 * exit code is 0 when it is worth training on, with or without something to look at, 1
 * when it is not, 2 when it cannot be opened or an argument is wrong: that of `openenv
 * validate`.
 */
export async function checkCommand(args: string[]): Promise<number> {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  let env: any;
  try {
    const { target, options, settings, json } = readArguments(args);
    if (json) redirectLog();
    env = await openenv(target, options);
    const report = await checkEnv(env, { ...settings, signal: interrupt.signal });
    process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${report}\n`);
    return report.verdict === 'fail' ? 1 : 0;
  } catch (error) {
    process.stderr.write(`joylab check: ${(error as Error).message}\n`);
    return 2;
  } finally {
    await env?.close();
  }
}

function readArguments(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      options: { type: 'string' },
      seconds: { type: 'string' },
      'max-steps': { type: 'string' },
      target: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  if (positionals.length !== 1) throw new Error(`it takes one environment: ${USAGE}`);
  const settings = { seconds: values.seconds, maxSteps: values['max-steps'], target: values.target };
  return {
    target: positionals[0],
    options: values.options === undefined ? {} : objectOf(values.options),
    settings: Object.fromEntries(
      Object.entries(settings).flatMap(([name, text]) => (text === undefined ? [] : [[name, Number(text)]])),
    ),
    json: values.json ?? false,
  };
}

function objectOf(text: string): object {
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {} // told below
  throw new Error(`--options is JSON, such as --options '{"game": "pong"}', not ${text}`);
}

/** Sends what is told meanwhile to the standard error, so that the output is JSON. */
function redirectLog(): void {
  console.log = console.error;
}
