import { checkEnv, type CheckOptions, type EnvironmentReport } from '../../kernel/check';
import { openenv } from '../../kernel/environments';
import { SOLVED } from './environments';

/** What a test has opened. */
export const opened: Array<{ close(): Promise<void> | void }> = [];

/** Closes what the tests of a file have opened. */
export async function closeAll(): Promise<void> {
  await Promise.all(opened.map((it) => it.close()));
}

/** Opens an environment, and closes it at the end of the file. */
export async function open(target: any): Promise<any> {
  const env = await openenv(target);
  opened.push(env);
  return env;
}

/** Opens an environment and checks it. */
export async function check(target: any, options: CheckOptions = SOLVED): Promise<EnvironmentReport> {
  return checkEnv(await open(target), { seconds: 60, maxSteps: 50, ...options });
}

/** Returns the IDs of results with a status. */
export function those({ results }: EnvironmentReport, status: string): string[] {
  return results.filter((result) => result.status === status).map(({ check_id }) => check_id);
}
