import { createHash } from 'node:crypto';
import type { AtariEnvironment } from '../../kernel/environments';
import { AtariClient } from '../../kernel/environments/atari/stream';

/** Rewards and states of an episode, to compare episodes. */
export interface Trajectory {
  rewards: number[];
  /** Hash of the memory after the reset and after every step. */
  memory: string;
}

/** Returns the action of a step: every action in turn. */
export const actionAt = (step: number, actions: number): number => (step * 7) % actions;

/** Plays an episode over OpenEnv's protocol. */
export async function playSession(env: AtariEnvironment, seed: number, steps: number): Promise<Trajectory> {
  let result = await env.reset({ seed });
  const memory = createHash('sha256').update(result.observation.ram);
  const rewards: number[] = [];
  for (let step = 0; step < steps && !result.done; step++) {
    result = await env.step({ action_id: actionAt(step, env.actions.length) });
    memory.update(result.observation.ram);
    rewards.push(result.reward!);
  }
  return { rewards, memory: memory.digest('hex') };
}

/** Plays one episode per seed over the stream of an Atari process, in lockstep. */
export async function playStream(url: string, options: object, seeds: number[], steps: number): Promise<Trajectory[]> {
  const client = await AtariClient.connect(url, { numEnvs: seeds.length, options });
  const memories = seeds.map(() => createHash('sha256'));
  const rewards = seeds.map((): number[] => []);
  let indices = seeds.map((_, i) => i);
  let result = await client.reset(indices, seeds);
  indices.forEach((index, i) => memories[index].update(result.ram[i]));
  for (let step = 0; step < steps && indices.length > 0; step++) {
    result = await client.step(
      indices,
      indices.map(() => actionAt(step, client.actions.length)),
    );
    indices.forEach((index, i) => {
      memories[index].update(result.ram[i]);
      rewards[index].push(result.rewards[i]);
    });
    indices = indices.filter((_, i) => !result.terminated[i] && !result.truncated[i]);
  }
  await client.close();
  return seeds.map((_, index) => ({ rewards: rewards[index], memory: memories[index].digest('hex') }));
}
