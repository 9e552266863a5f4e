import { OpenEnvError } from '../openenv/errors';
import type { StepResult } from '../openenv/protocol';
import { EpisodeRunner } from '../openenv/serving/episode';
import { contract, type Contract } from '../openenv/serving/schemas';
import type { EnvironmentClass } from '../openenv/serving';
import type { VectorEnv, VectorEnvs, VectorSource, VectorStep } from './vectorEnv';
import { vectorStep } from './vectorStep';

/** A class that extends `Environment`, by its module and its name there, as a source of vector environments without a server. */
export interface ClassSource extends VectorSource {
  classModule: string;
  className: string;
}

/** The checks of actions and observations of each class, for all its objects in this thread. */
const contracts = new WeakMap<EnvironmentClass, Contract>();

/** Returns what opens vector environments of a class in this thread. */
export function openVectorEnvs({ classModule, className, spec }: ClassSource): VectorEnvs {
  const type = (require(classModule) as Record<string, EnvironmentClass>)[className];
  if (!contracts.has(type)) contracts.set(type, contract(type, {}));
  const open = new Set<VectorEnv>();
  return {
    replaces: true,
    async open(numEnvs) {
      const env = new ClassEnv(type, contracts.get(type)!, spec.options, numEnvs);
      open.add(env);
      return env;
    },
    failure: () => new OpenEnvError('EXECUTION_ERROR', `${className} plays no more.`),
    close: async () => void (await Promise.all([...open].map((env) => env.close()))),
  };
}

/** Objects of a class, with the checks of a server and without a connection. */
class ClassEnv implements VectorEnv {
  private readonly runners: EpisodeRunner[];
  /** For each object the steps between its frames, 0 for none, and the steps of its episode so far. */
  private readonly every: number[];
  private readonly steps: number[];
  private closed: Promise<void> | null = null;

  constructor(
    type: EnvironmentClass,
    private readonly contract: Contract,
    /** Arguments of every reset. */
    private readonly options: Record<string, unknown>,
    readonly numEnvs: number,
  ) {
    this.runners = Array.from({ length: numEnvs }, () => new EpisodeRunner(new type(), contract.outputs));
    this.every = Array<number>(numEnvs).fill(0);
    this.steps = Array<number>(numEnvs).fill(0);
  }

  reset(indices: number[], seeds: number[], { every }: { every: number }): Promise<VectorStep> {
    for (const index of indices) [this.every[index], this.steps[index]] = [every, 0];
    return this.ask(indices, (runner, i) => runner.reset({ ...this.options, seed: seeds[i] }));
  }

  step(indices: number[], actions: unknown[]): Promise<VectorStep> {
    for (const index of indices) this.steps[index]++;
    return this.ask(indices, async (runner, i) => runner.step(this.contract.checkAction(actions[i] as object)));
  }

  async render(indices: number[]): Promise<Array<string | undefined>> {
    return indices.map((index) => this.picture(index));
  }

  private picture(index: number): string | undefined {
    try {
      const picture: unknown = this.runners[index].environment.render?.();
      return typeof picture === 'string' ? picture : undefined;
    } catch {
      return undefined; // the episode counts without its picture, too
    }
  }

  /** Closes each object once, however often it is called. */
  close(): Promise<void> {
    this.closed ??= Promise.all(this.runners.map((runner) => runner.close())).then(() => undefined);
    return this.closed;
  }

  private async ask(
    indices: number[],
    request: (runner: EpisodeRunner, i: number) => Promise<StepResult>,
  ): Promise<VectorStep> {
    const failed = (error: unknown): OpenEnvError =>
      new OpenEnvError('EXECUTION_ERROR', error instanceof Error ? error.message : String(error));
    const results = await Promise.all(indices.map((index, i) => request(this.runners[index], i).catch(failed)));
    return { ...vectorStep(results), frames: indices.map((index) => this.frame(index)) };
  }

  /** Returns the picture of an episode that is to have one now; else `null`. */
  private frame(index: number): string | null {
    const every = this.every[index];
    return every > 0 && this.steps[index] % every === 0 ? (this.picture(index) ?? null) : null;
  }
}
