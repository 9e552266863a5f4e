import type { RolloutData } from '../../../kernel/display/rollouts';
import { decodeFrames } from '../../frames/decode';
import { element } from '../../widgets/element';
import { problem } from '../../widgets/problem';
import { nameOf, rewardTable, shown } from '../details';
import type { Page, PageContext } from './page';
import { ReplayPlayer, type Played } from '../player';
import { diffView } from '../source';

/** Two rollouts side by side: their frames in step, the difference of their rewards and of their programs. */
export async function comparePage(context: PageContext): Promise<Page> {
  const { connection, route } = context;
  const places = [{ step: route.step!, position: route.position! }, route.other!];
  const pair = await Promise.all(
    places.map(async ({ step, position }) => {
      const row = (await connection.group(route.run!, step)).find((one) => one.position === position);
      if (!row) throw new Error(`The rollouts of step ${step} are not kept any more.`);
      return connection.rollout(row.id);
    }),
  );
  return new ComparePage(context, pair);
}

class ComparePage implements Page {
  readonly node: HTMLElement;
  private readonly stage = element('div', 'joylab-Rollout-stage');
  private player: ReplayPlayer | null = null;
  private disposed = false;

  constructor(
    private readonly context: PageContext,
    private readonly pair: readonly RolloutData[],
  ) {
    const [before, after] = pair;
    const text = (rollout: RolloutData) => rollout.code ?? rollout.completion;
    this.node = element('div', 'joylab-RolloutPage', [
      element('div', 'joylab-Rollouts-toolbar', [
        element('h2', 'joylab-Rollouts-title', `Reward ${shown(before.reward)} and ${shown(after.reward)}`),
        element('span', 'joylab-Rollouts-count', `${nameOf(before)} and ${nameOf(after)}`),
      ]),
      element('div', 'joylab-Rollout-columns joylab-mod-pair', [
        element('div', 'joylab-Rollout-left', [this.stage]),
        element('div', 'joylab-Rollout-right', [
          rewardTable(pair),
          diffView(text(before), text(after), context.highlighter, 'Difference of the programs'),
        ]),
      ]),
    ]);
    void this.play();
  }

  dispose(): void {
    this.disposed = true;
    this.player?.dispose();
  }

  onKey({ key }: KeyboardEvent): boolean {
    if (key !== 'Escape') return false;
    this.context.go({ other: undefined });
    return true;
  }

  private async play(): Promise<void> {
    const { pair, stage, context } = this;
    stage.replaceChildren(element('p', 'joylab-Rollout-waiting', 'Playing the episodes again …'));
    try {
      const played: Played[] = [];
      for (const rollout of pair) {
        if (!rollout.episode) continue;
        const { data, frames } = await context.connection.replay(rollout.id);
        if (this.disposed) return;
        const name = `${nameOf(rollout)}: ${shown(rollout.reward)}`;
        played.push({ data, frames: await decodeFrames(data.episode, frames), name });
      }
      if (this.disposed) return;
      if (played.length === 0)
        return stage.replaceChildren(element('p', 'joylab-Rollout-waiting', 'Neither was played.'));
      this.player = new ReplayPlayer(played, () => undefined);
      stage.replaceChildren(this.player.node);
    } catch (error) {
      if (!this.disposed) stage.replaceChildren(problem('The episodes cannot be shown.', (error as Error).message));
    }
  }
}
