import { EventEmitter } from 'node:events';
import { flag, number, preset, resolveSettings, type Declaration, type Given } from '../common/settings';
import { cellContext, type CellEvent, type CellRun, type MimeBundle } from '../display/cellContext';
import { rewardsBundle } from '../display/training/rewardsBundle';
import type { Widget } from '../display/widgets';
import type { SliderState } from '../display/widgets/controls';
import { rewardsData } from './panel/panel';
import { offerPanel } from './panel/server';
import { RecentRollouts } from './recent';
import { compareRewards } from './comparison/compare';
import type { Comparison, Rescore } from './comparison/comparison';
import type { RewardFunction } from './sample';
import { rewardTimeLimit, type WeightedReward } from './scoring';
import { weightSlider, type WeightSliderOptions } from './weightSlider';

/** A change of a registry. `changed`: the function's weight, or whether it counts. */
export interface RewardChange {
  kind: 'added' | 'replaced' | 'removed' | 'changed';
  name: string;
}

const rewardSettings = {
  /** Factor in the sum of rewards. 1 by default. */
  weight: number(1),
  /** Seconds that a call may take. `rewardTimeLimit` of the run by default. */
  timeLimit: preset(rewardTimeLimit, undefined),
  /** Whether the function counts; `false` keeps it registered without counting. `true` by default. */
  enabled: flag(true),
};

/** Options of a reward function. */
export interface RewardOptions extends Given<typeof rewardSettings> {}

/** The options of `rewardRegistry.register`. */
export const rewardDeclaration: Declaration<typeof rewardSettings> = {
  owner: 'register',
  noun: 'option',
  example: '{ weight: 2 }',
  settings: rewardSettings,
  elsewhere: { seconds: 'it is now timeLimit' },
};

/** The cell that registered a function. */
interface Owner {
  cell: CellRun;
  /** By `@reward`, or by a call of `register`: each replaces only its own. */
  means: 'directive' | 'call';
  deleted?: boolean;
}

/**
 * Reward functions by name, in their order of registration. A training run
 * that was given no functions of its own uses those of {@link rewardRegistry},
 * and takes a replaced one from its next step. Displayed, it is a table of
 * what counts.
 *
 * #### Notes
 * A cell owns the functions that it registers. Run again, it replaces them as
 * a set: those that it does not register any more are removed, and named in
 * its output; so are those of its `@reward` when it has none any more. A run
 * that fails leaves the functions of the run before. Where the front end does
 * not say which cell it runs (nbclient, papermill, consoles), each run is a
 * cell of its own, so that functions are replaced by others of their name
 * alone.
 */
export class RewardRegistry {
  /** Rollouts that the functions scored last; functions that replace them score these again. */
  readonly recentRollouts = new RecentRollouts();
  private readonly rewards = new Map<string, WeightedReward>();
  private readonly owners = new Map<string, Owner>();
  private readonly emitter = new EventEmitter();
  private followsCells = false;
  /** Functions of the running cell's `@reward`, which count once the cell has ended well. */
  private fresh: WeightedReward[] = [];
  /** Runs of cells without an ID whose functions the running cell has replaced. */
  private readonly displaced = new Set<CellRun>();

  /**
   * Registers `score` under `name`; an earlier function of that name is replaced, its
   * position kept. The registration takes effect at once. Rollouts in memory are then
   * scored again, without playing, and old and new rewards are displayed side by side.
   *
   * @returns the comparison, or `null` where no rollout is in memory or the function is
   *   off
   * @throws TypeError when the name is empty, `score` is not a function, or an option is
   *   wrong
   */
  register(name: string, score: RewardFunction, options: RewardOptions = {}): Promise<Rescore | null> {
    const reward = entryOf(name, score, { source: cellContext().cell?.label, ...options });
    this.put(reward, 'call');
    return this.compare([reward]).then((comparison) => {
      if (!comparison?.error) comparison?.keep();
      return comparison?.functions[0] ?? null;
    });
  }

  /** Takes a function of the running cell's `@reward`, which {@link finishCell} registers. */
  addOfCell(name: string, score: RewardFunction, options: RewardOptions & { source: string }): void {
    this.followCells();
    this.fresh.push(entryOf(name, score, options));
  }

  /**
   * Scores the last rollouts with the functions of the running cell's `@reward`, registers
   * these, and removes those of its earlier runs. Called once the cell has given all.
   *
   * @throws RewardError, beside a run in progress, when a function fails on the rollouts:
   *   the run goes on with the functions before
   */
  async finishCell(): Promise<void> {
    const fresh = this.fresh.splice(0);
    const { cell, signal } = cellContext();
    const comparison = await this.compare(fresh);
    if (cell?.beside && comparison?.error) throw comparison.error;
    signal.throwIfAborted();
    comparison?.keep();
    for (const reward of fresh) this.put(reward, 'directive');
    if (cell) this.removeFormer(cell, 'directive');
    if (cell?.beside && fresh.length > 0)
      console.log(`The run in progress uses ${fresh.map(({ name }) => name).join(', ')} from its next step.`);
  }

  /** Removes a function; `false` where there is none of that name. */
  unregister(name: string): boolean {
    if (!this.rewards.delete(name)) return false;
    this.owners.delete(name);
    this.recentRollouts.forget(name);
    this.announce('removed', name);
    return true;
  }

  /** Removes every function. */
  clear(): void {
    for (const name of [...this.rewards.keys()]) this.unregister(name);
  }

  /** Sets whether a function counts, until its cell runs again. Throws a TypeError when there is no such function. */
  setEnabled(name: string, enabled: boolean): void {
    if (typeof enabled !== 'boolean')
      throw new TypeError(`setEnabled("${name}", …) needs true or false, not ${String(enabled)}.`);
    this.change(name, { enabled });
    if (!enabled) this.recentRollouts.forget(name);
  }

  /**
   * Sets a function's factor in the sum, until its cell runs again. Throws a TypeError
   * when there is no such function, or the weight is not finite.
   */
  setWeight(name: string, weight: number): void {
    this.change(name, { weight: checkedWeight(name, weight) });
    this.recentRollouts.reweigh(name, weight);
  }

  /**
   * Returns a slider that sets a function's weight and follows it, for the end of a cell:
   * `rewardRegistry.weightSlider('plays')`. Throws a TypeError when there is no such
   * function.
   */
  weightSlider(name: string, options?: WeightSliderOptions): Widget<SliderState> {
    this.known(name);
    return weightSlider(this, name, options);
  }

  get(name: string): WeightedReward | undefined {
    return this.rewards.get(name);
  }

  /** Returns the functions in their order of registration, including those that are off. */
  list(): WeightedReward[] {
    return [...this.rewards.values()];
  }

  /** Calls `handler` after each change; returns a function that stops it. */
  on(event: 'change', handler: (change: RewardChange) => void): () => void {
    this.emitter.on(event, handler);
    return () => void this.emitter.off(event, handler);
  }

  /** Returns the panel of the functions as a MIME bundle: what counts, and what it did to the last rollouts. */
  [Symbol.for('Jupyter.display')](): MimeBundle {
    if (this.rewards.size === 0) {
      const text =
        'No reward function is registered. Write one in a cell: /** @reward */ function score({ episode }: Sample) { return episode && !episode.failed ? episode.return : 0; }';
      return { 'text/plain': text };
    }
    return rewardsBundle(rewardsData(offerPanel(this), this.list(), this.recentRollouts));
  }

  /** Registers a function; one of its name is replaced. */
  private put(entry: WeightedReward, means: Owner['means']): void {
    const { name, enabled } = entry;
    this.followCells();
    const before = this.rewards.get(name);
    this.rewards.set(name, entry);
    this.own(name, means);
    if (before) reportReplaced(before, entry);
    if (enabled === false) this.recentRollouts.forget(name);
    this.announce(before ? 'replaced' : 'added', name);
  }

  /** Makes the running cell the owner of a function. */
  private own(name: string, means: Owner['means']): void {
    const { cell } = cellContext();
    const before = this.owners.get(name);
    if (!cell) return void this.owners.delete(name);
    this.owners.set(name, { cell, means });
    if (!before || before.cell === cell || before.deleted) return;
    if (before.cell.id === undefined) this.displaced.add(before.cell);
    if (before.cell.id !== cell.id)
      console.log(`${name} is now the function of this cell; that of ${before.cell.label} does not count any more.`);
  }

  private change(name: string, changes: Partial<WeightedReward>): void {
    this.rewards.set(name, { ...this.known(name), ...changes });
    this.announce('changed', name);
  }

  /** Returns a function. Throws a TypeError when there is no such function. */
  private known(name: string): WeightedReward {
    const entry = this.rewards.get(name);
    if (entry) return entry;
    throw new TypeError(
      `There is no reward function "${name}". Registered: ${[...this.rewards.keys()].join(', ') || 'none'}.`,
    );
  }

  private announce(kind: RewardChange['kind'], name: string): void {
    this.emitter.emit('change', { kind, name } satisfies RewardChange);
  }

  private followCells(): void {
    if (this.followsCells) return;
    this.followsCells = true;
    cellContext().onCell?.((event) => this.onCell(event));
  }

  private onCell(event: CellEvent): void {
    if (event.kind === 'deleted') return this.onDeleted(event.ids);
    const { cell, ok } = event;
    this.fresh = [];
    if (ok) {
      this.removeFormer(cell, 'directive');
      // A cell that calls it no more may have loaded a module, once, that did.
      if (this.namesOf(cell, 'call').some((name) => this.owners.get(name)!.cell === cell))
        this.removeFormer(cell, 'call');
    } else this.reportKept(cell);
    this.reportDisplaced();
  }

  /** Returns the functions of a cell, whichever of its runs registered them. */
  private namesOf({ id }: CellRun, means: Owner['means']): string[] {
    return id === undefined
      ? []
      : [...this.owners].filter(([, owner]) => owner.means === means && owner.cell.id === id).map(([name]) => name);
  }

  /** Returns the functions of earlier runs of a cell. */
  private former(cell: CellRun, means: Owner['means']): string[] {
    return this.namesOf(cell, means).filter((name) => this.owners.get(name)!.cell !== cell);
  }

  /** Returns those of `names` that count. */
  private counting(names: readonly string[]): string[] {
    return names.filter((name) => this.rewards.get(name)?.enabled !== false);
  }

  /** Removes the functions that earlier runs of a cell registered, and reports them. */
  private removeFormer(cell: CellRun, means: Owner['means']): void {
    const former = this.former(cell, means);
    for (const name of former) this.unregister(name);
    if (former.length > 0)
      console.log(`No longer a reward, as this cell does not register it any more: ${former.join(', ')}.`);
  }

  /** Reports the functions that still count because the cell's run failed. */
  private reportKept(cell: CellRun): void {
    const kept = this.counting([...this.former(cell, 'directive'), ...this.former(cell, 'call')]);
    if (kept.length === 0) return;
    const goesOn = cell.beside ? ' The run in progress goes on with them.' : '';
    console.log(`As this run failed, the rewards of the cell's run before still count: ${kept.join(', ')}.${goesOn}`);
  }

  /** Reports functions of replaced runs that still count, where the front end does not send IDs of cells. */
  private reportDisplaced(): void {
    for (const cell of this.displaced) {
      const left = this.counting([...this.owners].filter(([, owner]) => owner.cell === cell).map(([name]) => name));
      if (left.length > 0)
        console.log(
          `Still a reward, from ${cell.label}: ${left.join(', ')}. To remove it: rewardRegistry.unregister("${left[0]}").`,
        );
    }
    this.displaced.clear();
  }

  private onDeleted(ids: readonly string[]): void {
    const left = [...this.owners].filter(([, { cell }]) => cell.id !== undefined && ids.includes(cell.id));
    for (const [name, owner] of left) {
      const reward = this.rewards.get(name)!;
      if (!owner.deleted) this.rewards.set(name, { ...reward, source: `${reward.source}, deleted` });
      owner.deleted = true;
    }
    const counting = this.counting(left.map(([name]) => name));
    if (counting.length > 0)
      console.log(
        `Still a reward, though its cell was deleted: ${counting.join(', ')}. To remove it: rewardRegistry.unregister("${counting[0]}").`,
      );
  }

  /** Scores the last rollouts with functions, and shows what changes; `null` where there is nothing to compare. */
  private async compare(rewards: readonly WeightedReward[]): Promise<Comparison | null> {
    const counting = rewards.filter(({ enabled }) => enabled !== false);
    if (this.recentRollouts.sampleCount === 0 || counting.length === 0) return null;
    const comparison = await compareRewards(counting, this.recentRollouts, cellContext().signal);
    cellContext().display(comparison.bundle());
    return comparison;
  }
}

/** Returns a function with its options. Throws a TypeError where one is wrong. */
function entryOf(name: string, score: RewardFunction, options: RewardOptions & { source?: string }): WeightedReward {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new TypeError('A reward function needs a name: register("survives", survives).');
  }
  if (typeof score !== 'function') {
    throw new TypeError(`The reward "${name}" is not a function: write function ${name}({ episode }: Sample) { … }.`);
  }
  const weight = checkedWeight(name, options.weight ?? 1);
  const { source, ...given } = options;
  const { timeLimit, enabled } = resolveSettings({ ...rewardDeclaration, owner: `The reward "${name}"` }, given);
  return {
    name,
    score,
    weight,
    enabled,
    ...(timeLimit !== undefined && { timeLimit }),
    ...(source !== undefined && { source }),
  };
}

function checkedWeight(name: string, weight: unknown): number {
  if (typeof weight === 'number' && Number.isFinite(weight)) return weight;
  throw new TypeError(`The weight of the reward "${name}" must be a finite number, not ${String(weight)}.`);
}

/** Reports changes of weight and `enabled` where a function replaces another. */
function reportReplaced(before: WeightedReward, after: WeightedReward): void {
  if (before.weight !== after.weight) console.log(`${after.name}: weight ${before.weight} → ${after.weight}.`);
  if (before.enabled === false && after.enabled !== false) console.log(`${after.name} was off and counts again.`);
  if (before.enabled !== false && after.enabled === false) console.log(`${after.name} is off: it does not count.`);
}
