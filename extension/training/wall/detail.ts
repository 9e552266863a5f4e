import type { EpisodeData } from '../../../kernel/display/mime';
import { EpisodePlayer } from '../../episode/player';
import { formatNumber } from '../../episode/timeline';
import { decodeFrames } from '../../frames/decode';
import { element, iconButton, setText } from '../../widgets/element';
import { icon } from '../../widgets/icons';
import type { Rollout } from './tile';

/** What an opened rollout asks of its view. */
export interface DetailActions {
  /** Asks the kernel for a rollout with all its frames. Returns false where there is none that could answer. */
  ask(step: number, index: number): boolean;
  /** Tells which rollout of a step is open; `null`: none any more. */
  chosen(step: number, index: number | null): void;
}

/** The rollout that was opened: its player, and what each reward function gave it. */
export class RolloutDetail {
  readonly node = element('div', 'joylab-Detail');
  private readonly title = element('span', 'joylab-Detail-title');
  private readonly state = element('span', 'joylab-Detail-state');
  private readonly previous = iconButton(icon('back'), 'Previous rollout (Page up)', () => this.move(-1));
  private readonly next = iconButton(icon('forward'), 'Next rollout (Page down)', () => this.move(1));
  private readonly body = element('div', 'joylab-Detail-body');
  private rollout: Rollout | null = null;
  /** The rollouts that it is one of: the wall may have moved on. */
  private all: readonly Rollout[] = [];
  private player: EpisodePlayer | null = null;

  constructor(private readonly actions: DetailActions) {
    this.state.setAttribute('role', 'status');
    const close = iconButton(icon('close'), 'Close the player', () => this.close());
    const head = element('div', 'joylab-Detail-head', [this.title, this.state, this.previous, this.next, close]);
    this.node.append(head, this.body);
    this.node.hidden = true;
    this.node.addEventListener('keydown', (event) => {
      const by = { PageUp: -1, PageDown: 1 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.move(by);
    });
  }

  /** Opens one of several rollouts with the frames that are here, and asks for all of its frames. */
  open(rollout: Rollout, all: readonly Rollout[]): void {
    const { episode, frames, score, step } = rollout;
    this.closePlayer();
    this.rollout = rollout;
    this.all = all;
    if (episode && frames) this.player = new EpisodePlayer(episode, frames);
    setText(this.title, `Step ${step}, rollout ${score.index + 1}`);
    setText(this.state, '');
    this.body.replaceChildren(
      this.player?.node ?? element('p', 'joylab-Detail-why', `It has no episode: ${score.why ?? 'it did not play'}.`),
      ...(Object.keys(score.rewards).length > 0 ? [scoreTable(rollout)] : []),
    );
    this.previous.disabled = rollout === all[0];
    this.next.disabled = rollout === all.at(-1);
    this.node.hidden = false;
    this.player?.node.focus();
    this.actions.chosen(step, score.index);
    if (episode && this.actions.ask(step, score.index)) setText(this.state, 'playing it again, with every step…');
  }

  /** Shows a rollout that the kernel has played again, if it is still the one that is open. */
  readonly opened = async (
    step: number,
    index: number,
    episode: EpisodeData | null,
    bytes?: Uint8Array,
    why?: string,
  ): Promise<void> => {
    const { rollout } = this;
    if (rollout?.step !== step || rollout.score.index !== index) return;
    if (!episode) return setText(this.state, `every fourth step: ${why ?? 'it cannot be played again'}`);
    const frames = await decodeFrames(episode, bytes);
    if (this.rollout !== rollout || !this.player) return;
    const before = this.player;
    const hadFocus = before.node.contains(document.activeElement);
    this.player = new EpisodePlayer(episode, frames, before.position);
    before.node.replaceWith(this.player.node);
    before.dispose();
    if (hadFocus) this.player.node.focus();
    setText(this.state, '');
  };

  close(): void {
    this.closePlayer();
    if (this.rollout) this.actions.chosen(this.rollout.step, null);
    this.rollout = null;
    this.all = [];
    this.node.hidden = true;
    this.body.replaceChildren();
  }

  private move(by: number): void {
    const other = this.rollout && this.all[this.all.indexOf(this.rollout) + by];
    if (other) this.open(other, this.all);
  }

  private closePlayer(): void {
    this.player?.dispose();
    this.player = null;
  }
}

/** Returns a table of what each reward function gave, the sum and the advantage. */
function scoreTable({ score }: Rollout): HTMLElement {
  const row = (name: string, value: number | null, kind = '') =>
    element('tr', kind, [
      element('th', '', name),
      element('td', '', value === null ? 'does not apply' : formatNumber(value)),
    ]);
  const rows = [
    ...Object.entries(score.rewards).map(([name, value]) => row(name, value)),
    row('reward', score.reward, 'joylab-mod-sum'),
    row('advantage', score.advantage),
  ];
  for (const { firstElementChild } of rows) (firstElementChild as HTMLTableCellElement).scope = 'row';
  return element('table', 'joylab-Detail-scores', [element('tbody', '', rows)]);
}
