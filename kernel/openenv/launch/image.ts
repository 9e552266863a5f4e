import { randomUUID } from 'node:crypto';
import { launchFailed } from '../errors';
import type { ServerProcess } from '../server';
import { findProgram, startProgram, type StartContext, type StartOptions } from './program';

/** The port on which the server of an image listens. */
const CONTAINER_PORT = 8000;

/**
 * Starts a container of a Docker image, as OpenEnv's `from_docker_image` does. It is
 * removed when it stops or this process ends. Rejects with `LAUNCH_FAILED` when it
 * does not start.
 */
export async function startImage(image: string, options: StartOptions, context: StartContext): Promise<ServerProcess> {
  const docker = findProgram('docker');
  if (!docker)
    throw launchFailed(
      `Docker is not available, and '${image}' is a Docker image. Install Docker Desktop or Docker Engine, so that \`docker version\` works.`,
    );
  const container = `joylab-${randomUUID()}`;
  const command = (port: number) => ({
    command: docker,
    args: dockerRun(image, container, port, options.envVars),
    cleanup: [docker, 'rm', '--force', container],
  });
  return startProgram(
    { name: `The container of ${image}`, cwd: process.cwd(), command, timeout: options.startTimeout ?? 600_000 },
    options,
    context,
  );
}

/**
 * Returns the arguments of `docker run`. It stays in the foreground: its output is the
 * server's, and a signal to it goes to the server.
 */
export function dockerRun(
  image: string,
  container: string,
  port: number,
  envVars: Record<string, string> = {},
): string[] {
  const variables = Object.entries(envVars).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const named = ['--name', container, '--label', 'joylab'];
  return ['run', '--rm', '--init', ...named, '--publish', `127.0.0.1:${port}:${CONTAINER_PORT}`, ...variables, image];
}
