import { OpenEnvClient } from '../../openenv/client';
import type { StepResult } from '../../openenv/protocol';
import type { PlayGame, PlayStep } from '../play';
import type { ResolvedAtariOptions } from './options';
import { acquireServer, type AcquiredServer } from './servers';

/** A server in use, and a session with it. */
export interface AtariSession {
  acquired: AcquiredServer;
  client: OpenEnvClient;
}

/** Opens a session with a server of these options: a running one, else a new one. */
export async function openSession(options: ResolvedAtariOptions, messageTimeout?: number): Promise<AtariSession> {
  const acquired = await acquireServer(options, messageTimeout);
  try {
    return {
      acquired,
      client: await OpenEnvClient.connect(acquired.server.url, {
        messageTimeout,
        explainLoss: () => acquired.server.explainLoss(),
      }),
    };
  } catch (error) {
    await acquired.release();
    throw error;
  }
}

export async function closeSession({ client, acquired }: AtariSession): Promise<void> {
  await client.close();
  await acquired.release();
}

/** Returns the current frame of a session: 210 × 160 palette indices, row by row. */
export async function sessionFrame(client: OpenEnvClient): Promise<Uint8Array> {
  const { screen } = await client.state();
  return new Uint8Array(Buffer.from(screen, 'base64'));
}

/** Opens a session that a person plays. */
export async function openPlaySession(options: ResolvedAtariOptions): Promise<PlayGame> {
  const session = await openSession(options);
  const { client } = session;
  return {
    reset: async (seed) => played(await client.reset({ seed })),
    step: async (action) => played(await client.step({ action_id: action })),
    frame: () => sessionFrame(client),
    close: () => closeSession(session),
  };
}

function played({ observation, reward, done }: StepResult): PlayStep {
  return { reward: reward ?? 0, lives: observation.lives, done };
}
