import { invalidArgument } from '../openenv/errors';
import { readTarget } from '../openenv/launch/target';
import { nearestFirst } from '../common/names';
import type { Environment } from '../openenv/serving';
import { BUILT_INS, servedByOthers, type BuiltIn } from './registry';
import { RemoteEnvironment, type RemoteOptions } from './remote/remote';
import { serveInNotebook, type EnvironmentClient } from './remote/served';
import type { OpenedEnvironments } from './openedEnvironments';

/** The type of an environment: that of its schemas, if the notebook has opened it before. */
type Opened<Target extends string> = Target extends keyof OpenedEnvironments
  ? OpenedEnvironments[Target]
  : RemoteEnvironment<any, any, any>;

type BuiltIns = typeof BUILT_INS;
type BuiltInName = keyof BuiltIns;
type OptionsOf<Name extends BuiltInName> = Parameters<BuiltIns[Name]['open']>;
type OpenedAs<Name extends BuiltInName> = ReturnType<BuiltIns[Name]['open']>;

/**
 * Opens an environment: one of Joylab's by its name, or any OpenEnv environment
 * by a server's address, a local folder with `openenv.yaml`, a Hugging Face
 * Space (`owner/name`) or a Docker image with its tag. A server that does not run
 * yet is started, and stops with `env.close()` or the kernel. Several addresses
 * are servers of one environment: rollouts play on all of them. A class that
 * extends `Environment` is served in this process.
 *
 * Rejects with an `OpenEnvError`: `INVALID_ARGUMENT` for a target or an option
 * that is not valid, others when the server cannot be started or reached.
 *
 * ```ts
 * const env = await openenv('atari', { game: 'breakout' });
 * const board = await openenv('game2048');
 * const other = await openenv('http://localhost:8000');
 * const mine = await openenv('./my_env');
 * const echo = await openenv('openenv/echo_env');                    // the running Space
 * const here = await openenv('openenv/echo_env', { from: 'image' }); // its image, in a container here
 * const image = await openenv('echo-env:latest');
 * const pool = await openenv(['http://localhost:8000', 'http://localhost:8001']);
 * const served = await openenv(CountUp);
 * ```
 */
export function openenv(name: 'atari', ...options: OptionsOf<'atari'>): OpenedAs<'atari'>;
export function openenv(name: 'game2048', ...options: OptionsOf<'game2048'>): OpenedAs<'game2048'>;
export function openenv<Target extends string>(
  target: Target,
  options?: Target extends BuiltInName ? Parameters<BuiltIns[Target]['open']>[0] : RemoteOptions,
): Promise<Opened<Target>>;
export function openenv(urls: string[], options?: RemoteOptions): Promise<RemoteEnvironment<any, any, any>>;
export function openenv<Served extends Environment>(type: new () => Served): Promise<EnvironmentClient<Served>>;
export async function openenv(target: string | string[] | (new () => Environment), options: any = {}): Promise<any> {
  options ??= {};
  if (Array.isArray(target)) return openPool(target, options);
  if (typeof target === 'function') return serveInNotebook(target, {});
  if (Object.hasOwn(BUILT_INS, target)) return (BUILT_INS as Record<string, BuiltIn>)[target].open(options);
  if (typeof target === 'string' && readTarget(target, options)) return openServer(target, options);
  const names = nearestFirst(String(target), Object.keys(BUILT_INS))
    .map((name) => `'${name}'`)
    .join(', ');
  throw invalidArgument(
    `There is no environment '${String(target)}'. Valid are: ${names}; the address of an OpenEnv server, 'http://localhost:8000'; a folder with openenv.yaml, './my_env'; a Hugging Face Space, 'openenv/echo_env'; a Docker image with its tag, 'echo-env:latest'.`,
  );
}

async function openServer(target: string, options: object): Promise<object> {
  const server = await RemoteEnvironment.open(target, options);
  return servedByOthers(server.schemas)?.adopt(server) ?? server;
}

function openPool([first, ...servers]: string[], options: object): Promise<RemoteEnvironment> {
  const addresses = [first, ...servers];
  const wrong = addresses.find((url) => !/^(https?|wss?):\/\//.test(String(url)));
  if (first === undefined || wrong !== undefined)
    throw invalidArgument(
      `openenv([…]) takes the addresses of servers, such as 'http://localhost:8000', not ${first === undefined ? 'an empty list' : `'${wrong}'`}.`,
    );
  return RemoteEnvironment.open(first, { ...options, servers });
}
