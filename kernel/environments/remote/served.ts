import type { EnvironmentServer, ServeOptions } from '../../openenv';
import type { DeclaredTypes } from '../../openenv/serving/environment';
import { serve } from '../../openenv';
import type { EpisodeState } from '../../openenv/protocol';
import { classDrawing } from './drawing';
import { RemoteEnvironment } from './remote';

/** A client of a server of a class that extends `Environment`, with the types that the class declares, else those of its JSON Schemas once it is served. */
export type EnvironmentClient<Served> =
  Served extends DeclaredTypes<infer Action extends object, infer Observation, infer State>
    ? RemoteEnvironment<object extends Required<Action> ? any : Action, Observation, State & EpisodeState>
    : RemoteEnvironment;

interface Running {
  server: EnvironmentServer;
  client: RemoteEnvironment;
}

/** The servers of the notebook, by the name of their class. They run in the kernel's process, and end with it. */
const running = new Map<string, Running>();

/** Serves a class of the notebook, in place of an earlier one with its name, and opens a session with the server. */
export async function serveInNotebook(type: any, options: ServeOptions): Promise<RemoteEnvironment> {
  const previous = running.get(type?.name);
  // The earlier server may listen at the port that the cell names.
  if (options.port) await replace(previous, type.name);
  const server = await serve(type, options);
  const client = await RemoteEnvironment.open(server.url);
  client.drawing = classDrawing(type, server);
  running.set(type.name, { server, client });
  if (!options.port) await replace(previous, type.name);
  return client;
}

async function replace(previous: Running | undefined, name: string): Promise<void> {
  previous?.client.drawing?.endPlay();
  await previous?.server.close(`The cell of ${name} was run again, and its server was replaced: use the new client.`);
}
