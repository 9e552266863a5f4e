import type { RolloutRow } from '../../kernel/display/rollouts';
import { Playback } from '../frames/playback';
import { frameView, viewAspect, type FrameView } from '../frames/view';
import { prefersReducedMotion, watchVisibility } from '../frames/visibility';
import { describe, element } from '../widgets/element';
import { nameOf, shown } from './details';
import type { Played } from './player';
import type { TileFrames } from './tileFrames';

/** Frames per second of a tile: its few frames take some seconds. */
const RATE = 15;

/**
 * A rollout of a step: how its episode ended, its reward and what made it, the first
 * lines of its program. Its frames play under the pointer and while it has the focus.
 */
export class RolloutTile {
  readonly node: HTMLElement;
  readonly button: HTMLButtonElement;
  private readonly picture = element('span', 'joylab-Rollout-picture');
  private readonly unwatch: (() => void) | null;
  private takeBack: (() => void) | null = null;
  private view: FrameView | null = null;
  private playback: Playback | null = null;

  /** @param share where its reward is between the least and the best of the step: 0 to 1; `null` where it has none */
  constructor(
    readonly row: RolloutRow,
    share: number | null,
    private readonly frames: TileFrames,
    open: () => void,
  ) {
    const facts = factsOf(row);
    const worth = element('span', 'joylab-Rollout-about', [
      element('span', 'joylab-Rollout-reward', shown(row.reward)),
      ...functionsOf(row),
      element('span', 'joylab-Rollout-facts', facts.join(' · ')),
    ]);
    const code = element('pre', 'joylab-Rollout-code', row.summary);
    if (!row.hasProgram) code.classList.add('joylab-mod-text');
    const hasEpisode = row.steps !== null;
    this.button = element('button', 'joylab-Rollout', [
      element('span', 'joylab-Rollout-head', hasEpisode ? [this.picture, worth] : [worth]),
      code,
    ]);
    this.button.type = 'button';
    this.button.style.setProperty('--joylab-share', String(share ?? 0));
    this.button.classList.toggle('joylab-mod-none', share === null);
    describe(this.button, `Reward ${shown(row.reward)}, ${facts.join(', ')}. Open ${nameOf(row)}.`);
    this.button.addEventListener('click', open);
    for (const event of ['pointerenter', 'focus']) this.button.addEventListener(event, () => this.play(true));
    for (const event of ['pointerleave', 'blur']) this.button.addEventListener(event, () => this.play(false));
    this.node = element('div', '', [this.button]);
    this.node.setAttribute('role', 'listitem');
    this.unwatch = hasEpisode ? watchVisibility(this.node, (visible) => this.onVisible(visible)) : null;
  }

  dispose(): void {
    this.unwatch?.();
    this.takeBack?.();
    this.playback?.dispose();
    this.view?.dispose();
  }

  private onVisible(visible: boolean): void {
    if (!visible) {
      this.takeBack?.();
      this.takeBack = null;
      this.play(false);
      return;
    }
    if (this.view) return;
    const known = this.frames.get(this.row);
    if (known) return this.show(known);
    this.takeBack ??= this.frames.want(
      this.row,
      this.node,
      (played) => this.show(played),
      ({ message }) => this.fail(message),
    );
  }

  private show({ frames }: Played): void {
    if (this.view) return;
    this.view = frameView(frames);
    // The button's name says it.
    this.view.node.removeAttribute('role');
    this.view.node.setAttribute('aria-hidden', 'true');
    this.picture.style.setProperty('--joylab-aspect', String(viewAspect(frames)));
    this.picture.replaceChildren(this.view.node);
    const playback = (this.playback = new Playback(frames.count, RATE, {
      frame: (index) => this.view?.show(index),
      state: () => undefined,
    }));
    playback.seek(frames.count - 1);
    if (this.button.matches(':hover, :focus')) this.play(true);
  }

  private fail(message: string): void {
    this.picture.replaceChildren(element('span', 'joylab-Rollout-why', message));
  }

  /** Plays the frames, or shows the last one again. */
  private play(wanted: boolean): void {
    const { playback } = this;
    if (!playback || (wanted && prefersReducedMotion())) return;
    if (wanted) playback.play();
    else if (!this.button.matches(':hover, :focus')) playback.seek(playback.count - 1);
  }
}

function factsOf(row: RolloutRow): string[] {
  return [
    `advantage ${shown(row.advantage)}`,
    ...(row.return === null ? [] : [`return ${shown(row.return)}`]),
    ...(row.steps === null ? [] : [`${row.steps} steps`]),
    ...(row.ending === null ? ['not played'] : row.ending === 'terminated' ? [] : [row.ending]),
  ];
}

/** Returns what each function gave; nothing where there is one, whose reward is the sum. */
function functionsOf({ rewards }: RolloutRow): HTMLElement[] {
  const all = Object.entries(rewards);
  if (all.length < 2) return [];
  return all.map(([name, value]) =>
    element('span', 'joylab-Rollout-function', [element('span', '', name), element('span', '', shown(value))]),
  );
}
