import { OpenEnvError } from '../openenv/errors';
import { AtariEnvironment } from './atari/environment';
import type { AtariOptions } from './atari/options';
import { openGame2048, type Game2048Environment } from './game2048';
import { nearestFirst } from '../nearest';
import { RemoteEnvironment, type RemoteOptions } from './remote';
import type { OpenedEnvironments } from './typing';

/** The type of an environment: by its schemas, where a notebook has opened it before. */
type Opened<Target extends string> = Target extends keyof OpenedEnvironments ? OpenedEnvironments[Target] : RemoteEnvironment<any, any, any>;

/** The environments that can be opened by their name. */
const ENVIRONMENTS = ['atari', 'game2048'];

/**
 * Opens an environment: one of Joylab's by its name, or any OpenEnv server by
 * its address (`http://…` or `ws://…`).
 *
 * ```ts
 * const env = await openenv('atari', { game: 'breakout' });
 * const board = await openenv('game2048');
 * const other = await openenv('http://localhost:8000');
 * ```
 */
export function openenv(name: 'atari', options: AtariOptions): Promise<AtariEnvironment>;
export function openenv(name: 'game2048'): Promise<Game2048Environment>;
export function openenv<Target extends string>(url: Target, options?: RemoteOptions): Promise<Opened<Target>>;
export async function openenv(target: string, options: object = {}): Promise<AtariEnvironment | Game2048Environment | RemoteEnvironment> {
  if (target === 'atari') return AtariEnvironment.open(options as AtariOptions);
  if (target === 'game2048') return openGame2048();
  if (/^(https?|wss?):\/\//.test(target)) return RemoteEnvironment.open(target, options);
  throw new OpenEnvError(
    'INVALID_ARGUMENT',
    `There is no environment '${target}'. Valid are: ${nearestFirst(target, ENVIRONMENTS).map(name => `'${name}'`).join(', ')}, or the address of an OpenEnv server such as 'http://localhost:8000'.`,
  );
}
