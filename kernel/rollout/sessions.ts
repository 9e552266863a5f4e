import type { SessionSource } from '../environments/environment';
import { OpenEnvClient, type ClientOptions } from '../openenv/client';
import { OpenEnvError } from '../openenv/errors';
import type { StepResult } from '../openenv/protocol';
import type { Contract } from '../openenv/serving/schemas';

/** One game at a time: what an OpenEnv session offers to those who play. */
export interface GameSession {
  reset(args: { seed: number }): Promise<StepResult>;
  step(action: object): Promise<StepResult>;
  close(): Promise<void>;
}

/** Opens sessions with one server. */
export interface SessionServer {
  /** Its address, or the class that is played without one. */
  readonly name: string;
  /** Fails with `CAPACITY_REACHED` where the server has no session left. */
  open(): Promise<GameSession>;
}

/** The servers of a source. */
export function sessionServers(source: SessionSource): SessionServer[] {
  if ('module' in source) return [classServer(source)];
  const { atari } = source;
  return source.servers.map((url) => ({ name: url, open: async () => (atari ? withNamedState(await connect(url, source), atari) : connect(url, source)) }));
}

/** The lane waits for room and for lost servers itself. */
function connect(url: string, { connectTimeout, messageTimeout, headers }: Pick<ClientOptions, 'connectTimeout' | 'messageTimeout' | 'headers'>): Promise<GameSession> {
  return OpenEnvClient.connect(url, { connectTimeout, messageTimeout, headers, capacityTimeout: 0, reconnectTimeout: 0 });
}

/** A session with OpenEnv's own Atari server, as strategies see it. */
function withNamedState(session: GameSession, options: object): GameSession {
  const { officialReader } = require('../environments/atari/official') as typeof import('../environments/atari/official');
  const read = officialReader(options);
  const named = ({ observation, reward, done }: StepResult): StepResult => ({ observation: read(observation), reward, done });
  return {
    reset: async (args) => named(await session.reset(args)),
    step: async (action) => named(await session.step(action)),
    close: () => session.close(),
  };
}

/** How what goes into a class, and comes out of it, is checked: the same for all its sessions in this thread. */
const contracts = new WeakMap<object, Contract>();

/** A class in this thread: the same checks, without a connection. */
function classServer({ module, className }: { module: string; className: string }): SessionServer {
  return {
    name: className,
    async open() {
      const type = (require(module) as Record<string, any>)[className];
      const { EpisodeRunner } = require('../openenv/serving/episode') as typeof import('../openenv/serving/episode');
      const { contract } = require('../openenv/serving/schemas') as typeof import('../openenv/serving/schemas');
      if (!contracts.has(type)) contracts.set(type, contract(type, {}));
      const { checkAction, told: checks } = contracts.get(type)!;
      const runner = new EpisodeRunner(new type(), checks);
      const told = (work: Promise<StepResult>): Promise<StepResult> =>
        work.catch((error) => {
          throw new OpenEnvError('EXECUTION_ERROR', error instanceof Error ? error.message : String(error));
        });
      return {
        reset: (args) => told(runner.reset(args)),
        step: (action) => told(runner.step(checkAction(action))),
        close: () => runner.close(),
      };
    },
  };
}
