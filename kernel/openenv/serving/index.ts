import type { EnvironmentClass } from './environment';
import type { EnvironmentServer, ServeOptions } from './server';

export {
  Environment,
  type EnvironmentClass,
  type EnvironmentSettings,
  type EnvironmentTool,
  type ResetOptions,
  type Turn,
} from './environment';
export { surviveLateErrors } from './lateErrors';
export { RandomSource } from './randomSource';
export type { EnvironmentServer, ServeOptions } from './server';

/**
 * Serves an environment to OpenEnv clients.
 *
 * ```ts
 * const server = await serve(GuessTheNumber, { port: 8000 });
 * const env = await openenv(server.url);
 * ```
 *
 * @throws OpenEnvError `INVALID_ARGUMENT` for a class or option that is not valid,
 *   `LAUNCH_FAILED` when the port cannot be used
 */
export async function serve(type: EnvironmentClass<any>, options: ServeOptions = {}): Promise<EnvironmentServer> {
  const { serveClass } = await import('./server.js');
  return serveClass(type, options);
}
