import { OpenEnvClient } from '../../openenv/client';
import type { StepResult } from '../../openenv/protocol';
import type { PlayGame, PlayStep } from '../play';
import type { ResolvedAtariOptions } from './options';
import { leaseServer, type ServerLease } from './servers';

/** A server in use, and a session with it. */
export interface AtariSession {
  lease: ServerLease;
  client: OpenEnvClient;
}

/** Opens a session: with a server of these options that runs, else with a new one. */
export async function openSession(options: ResolvedAtariOptions, messageTimeout?: number): Promise<AtariSession> {
  const lease = await leaseServer(options, messageTimeout);
  try {
    return {
      lease,
      client: await OpenEnvClient.connect(lease.server.url, {
        messageTimeout,
        explainLoss: () => lease.server.explainLoss(),
      }),
    };
  } catch (error) {
    await lease.release();
    throw error;
  }
}

export async function closeSession({ client, lease }: AtariSession): Promise<void> {
  await client.close();
  await lease.release();
}

/** The frame that a session's game shows: 210 × 160 palette indices, row by row. */
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
