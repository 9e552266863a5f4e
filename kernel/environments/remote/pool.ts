import { isDeepStrictEqual } from 'node:util';
import { invalidArgument, OpenEnvError } from '../../openenv/errors';
import { getJson, httpUrl } from '../../openenv/http';
import type { EnvironmentSchema } from '../../openenv/protocol';
import { readMetadata, readSchemas } from '../../openenv/shapes';
import type { RemoteOptions } from './connection';
import { servedByOthers } from '../registry';

/** A server's description of its environment; empty when the server is an old one. */
interface ServerDescription {
  url: string;
  name?: string;
  schema?: EnvironmentSchema | null;
  /** What only its state shows, such as the game. */
  variant?: unknown;
  /** The reason why it does not answer. */
  away?: string;
}

/**
 * Returns the addresses of the servers of a pool that answer, and warns of the
 * others. Rejects with `INVALID_ARGUMENT` when they serve different environments,
 * and with `CONNECTION_FAILED` when none answers.
 */
export async function reachableServers(addresses: string[], options: RemoteOptions): Promise<string[]> {
  const found = await Promise.all(addresses.map((url) => describe(httpUrl(url), options)));
  const reachable = found.filter(({ away }) => away === undefined);
  const gone = found.filter(({ away }) => away !== undefined);
  if (reachable.length === 0)
    throw new OpenEnvError(
      'CONNECTION_FAILED',
      `None of the servers answers. ${gone.map(({ away }) => away).join(' ')}`,
    );
  for (const other of reachable.slice(1)) compare(reachable[0], other);
  if (gone.length > 0) {
    console.warn(
      `${gone.map(({ url }) => url).join(', ')} ${gone.length === 1 ? 'does' : 'do'} not answer: the pool has the other ${reachable.length === 1 ? 'server' : `${reachable.length} servers`}. Open it again once all run.`,
    );
  }
  return reachable.map(({ url }) => url);
}

async function describe(url: string, { connectTimeout = 10_000, headers }: RemoteOptions): Promise<ServerDescription> {
  const get = (route: string): Promise<any> =>
    getJson(url + route, { timeout: connectTimeout, headers }).catch((error) => {
      if (error instanceof OpenEnvError && error.code === 'NOT_SUPPORTED') return null; // old servers have neither document
      throw error;
    });
  try {
    const [about, schemas] = [await get('/metadata'), readSchemas(await get('/schema'))?.schemas ?? null];
    const served = servedByOthers(schemas);
    const variant = served?.variant((await get('/state')) ?? {});
    return { url, name: about === null ? undefined : readMetadata(about, url).name, schema: schemas, variant };
  } catch (error) {
    return { url, away: (error as Error).message };
  }
}

/** Throws `INVALID_ARGUMENT` when two servers serve different environments. */
function compare(one: ServerDescription, other: ServerDescription): void {
  const differ = (what: string): OpenEnvError =>
    invalidArgument(
      `The servers of a pool have to serve the same environment: ${what}. Open those of another one on their own.`,
    );
  if (one.name !== undefined && other.name !== undefined && one.name !== other.name)
    throw differ(`${one.url} serves '${one.name}', ${other.url} '${other.name}'`);
  if (one.variant !== other.variant) throw differ(`${one.url} plays '${one.variant}', ${other.url} '${other.variant}'`);
  if (!one.schema || !other.schema) return;
  const part = (['action', 'observation'] as const).find(
    (name) => !isDeepStrictEqual(one.schema![name], other.schema![name]),
  );
  if (part) throw differ(`the ${part}s of ${one.url} have other fields than those of ${other.url}`);
}
