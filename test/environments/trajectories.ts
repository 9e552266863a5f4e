import { createHash } from 'node:crypto';
import type { AtariEnvironment } from '../../kernel/environments';
import { AtariClient } from '../../kernel/environments/atari/stream';

/** What an episode left behind: equal for equal episodes. */
export interface Trajectory {
  rewards: number[];
  /** Hash of the memory after the reset and after every step. */
  memory: string;
}

/** The actions of the tests: every action in turn. */
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

/** Plays one episode per seed over the fast lane, in lockstep. */
export async function playLane(url: string, options: object, seeds: number[], steps: number): Promise<Trajectory[]> {
  const client = await AtariClient.connect(url, { numEnvs: seeds.length, options });
  const memories = seeds.map(() => createHash('sha256'));
  const rewards = seeds.map((): number[] => []);
  let slots = seeds.map((_, slot) => slot);
  let result = await client.reset(slots, seeds);
  slots.forEach((slot, i) => memories[slot].update(result.ram[i]));
  for (let step = 0; step < steps && slots.length > 0; step++) {
    result = await client.step(
      slots,
      slots.map(() => actionAt(step, client.actions.length)),
    );
    slots.forEach((slot, i) => {
      memories[slot].update(result.ram[i]);
      rewards[slot].push(result.rewards[i]);
    });
    slots = slots.filter((_, i) => !result.terminated[i] && !result.truncated[i]);
  }
  await client.close();
  return seeds.map((_, slot) => ({ rewards: rewards[slot], memory: memories[slot].digest('hex') }));
}
