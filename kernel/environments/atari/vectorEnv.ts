import { OpenEnvError } from '../../openenv/errors';
import type { Screen, VectorEnv, VectorEnvs, VectorSource, VectorStep } from '../vectorEnv';
import { atariReader, type AtariReader } from './reader';
import { atariScreen } from './screen';
import { AtariClient, type AtariStep } from './stream';

/** A process that plays many games at a time, as a source of vector environments. */
export interface AtariSource extends VectorSource {
  url: string;
  /** Milliseconds for an answer; default 60,000. */
  messageTimeout?: number;
}

/** Returns what opens vector environments in the process of a source. */
export function openVectorEnvs({ url, spec, messageTimeout }: AtariSource): VectorEnvs {
  const open = new Set<VectorEnv>();
  return {
    replaces: false,
    async open(numEnvs) {
      const client = await AtariClient.connect(url, {
        numEnvs,
        options: spec.options,
        messageTimeout,
      });
      const env = new AtariVectorEnv(client, atariReader(spec.options), atariScreen(spec.options));
      open.add(env);
      return env;
    },
    failure: () => new OpenEnvError('CONNECTION_LOST', `The process at ${url} plays no more.`),
    close: async () => void (await Promise.all([...open].map((env) => env.close()))),
  };
}

/** Games in one process, over Joylab's own stream. */
class AtariVectorEnv implements VectorEnv {
  constructor(
    private readonly client: AtariClient,
    private readonly reader: AtariReader,
    readonly screen: Screen,
  ) {}

  get numEnvs(): number {
    return this.client.numEnvs;
  }

  async reset(indices: number[], seeds: number[], { every }: { every: number }): Promise<VectorStep> {
    return this.observed(await this.client.reset(indices, seeds, { frames: every }));
  }

  async step(indices: number[], actions: unknown[]): Promise<VectorStep> {
    return this.observed(await this.client.step(indices, actions as number[]));
  }

  render(indices: number[]): Promise<Uint8Array[]> {
    return this.client.render(indices);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private observed({ ram: memories, ...step }: AtariStep): VectorStep {
    return { ...step, observations: memories.map((ram) => ({ state: this.reader.readState(ram), arrays: { ram } })) };
  }
}
