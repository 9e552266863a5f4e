import type { RolloutData, RolloutRow } from '../../../kernel/display/rollouts';
import { decodeFrames } from '../../frames/decode';
import { describe, element, setText } from '../../widgets/element';
import { problem } from '../../widgets/problem';
import { RolloutChooser } from '../chooser';
import { nameOf, rewardTable, shown, tokenSummary, tokenView } from '../details';
import { sorted } from './order';
import type { Page, PageContext } from './page';
import { ReplayPlayer, type Played } from '../player';
import { diffView, SourceView } from '../source';
import { StateStrips } from '../states';
import { Tabs } from '../tabs';

/** A rollout: its episode beside its source, what it was worth, and why. */
export async function rolloutPage(context: PageContext): Promise<Page> {
  const { connection, route } = context;
  const rows = await connection.group(route.run!, route.step!);
  const row = rows.find(({ position }) => position === route.position);
  if (!row)
    throw new Error(`The rollouts of step ${route.step} are not kept any more: rolloutsTotalLimit says how many are.`);
  return new RolloutPage(context, rows, await connection.rollout(row.id));
}

class RolloutPage implements Page {
  readonly node: HTMLElement;
  private readonly stage = element('div', 'joylab-Rollout-stage');
  private readonly decision = element('div', 'joylab-Rollout-decision');
  private readonly source: SourceView | null;
  private readonly chooser: RolloutChooser;
  /** What is to be said of the replay. */
  private readonly remark = element('p', 'joylab-Rollouts-hint');
  private player: ReplayPlayer | null = null;
  private takeBack: (() => void) | null = null;
  private disposed = false;

  constructor(
    private readonly context: PageContext,
    private readonly rows: readonly RolloutRow[],
    private readonly rollout: RolloutData,
  ) {
    const { code } = rollout;
    this.chooser = new RolloutChooser(context, rollout, this.group);
    this.source = code === null ? null : new SourceView(code, context.highlighter);
    const left = element('div', 'joylab-Rollout-left', [this.stage]);
    const right = element('div', 'joylab-Rollout-right', [this.worth(), this.texts()]);
    this.node = element('div', 'joylab-RolloutPage', [
      this.toolbar(),
      this.chooser.node,
      element('div', 'joylab-Rollout-columns', [left, right]),
    ]);
    void this.play();
  }

  dispose(): void {
    this.disposed = true;
    this.chooser.dispose();
    this.takeBack?.();
    this.player?.dispose();
  }

  /** Goes to the next rollout of the group, in its order, or back to the group. */
  onKey({ key }: KeyboardEvent): boolean {
    if (key === 'ArrowRight' || key === 'ArrowDown') this.move(1);
    else if (key === 'ArrowLeft' || key === 'ArrowUp') this.move(-1);
    else if (key === 'Escape') this.context.go({ position: undefined });
    else return false;
    return true;
  }

  private get group(): RolloutRow[] {
    const group = sorted(this.rows, this.context.order);
    return group.some(({ id }) => id === this.rollout.id)
      ? group
      : sorted(this.rows, { ...this.context.order, filter: '' });
  }

  private move(by: number): void {
    const { group } = this;
    const next = group[group.findIndex(({ id }) => id === this.rollout.id) + by];
    if (next) this.context.go({ position: next.position });
  }

  private toolbar(): HTMLElement {
    const { group, rollout } = this;
    const place = group.findIndex(({ id }) => id === rollout.id);
    const button = (text: string, label: string, by: number) => {
      const made = element('button', 'joylab-Switch', text);
      made.type = 'button';
      made.disabled = group[place + by] === undefined;
      describe(made, label);
      made.addEventListener('click', () => this.move(by));
      return made;
    };
    return element('div', 'joylab-Rollouts-toolbar', [
      element('h2', 'joylab-Rollouts-title', `Reward ${shown(rollout.reward)}`),
      element('span', 'joylab-Rollouts-count', `${place + 1} of ${group.length} · ${nameOf(rollout)}`),
      button('‹', 'The one before (←)', -1),
      button('›', 'The next one (→)', 1),
      this.pin(),
      this.chooser.button,
    ]);
  }

  private pin(): HTMLElement {
    const { order } = this.context;
    const { step, position } = this.rollout;
    const button = element('button', 'joylab-Switch', 'Pin');
    button.type = 'button';
    const show = () => {
      const isPinned = order.pinned?.step === step && order.pinned.position === position;
      button.setAttribute('aria-pressed', String(isPinned));
      return isPinned;
    };
    describe(button, 'Pin: keep it to compare it with another');
    button.addEventListener('click', () => {
      order.pinned = show() ? null : { step, position };
      show();
    });
    show();
    return button;
  }

  private worth(): HTMLElement {
    const { rollout } = this;
    const { notes, extra, twins, parentProgram } = rollout;
    const facts = [
      ...notes,
      ...(parentProgram
        ? [`An edit of program ${parentProgram.id}, whose worth was ${shown(parentProgram.worth)}`]
        : []),
      ...(twins > 0 ? [`${twins} more of this step ${twins === 1 ? 'has' : 'have'} the same program`] : []),
      ...fallsOf(rollout),
      // Of the parent a sentence tells.
      ...Object.entries(extra).flatMap(([name, value]) =>
        value === null || (name === 'parent' && parentProgram) ? [] : [`${name}: ${wordsOf(value)}`],
      ),
    ];
    const list = element(
      'ul',
      'joylab-Rollout-notes',
      facts.map((fact) => element('li', '', fact)),
    );
    list.hidden = facts.length === 0;
    return element('div', 'joylab-Rollout-worth', [rewardTable([rollout]), list]);
  }

  private texts(): HTMLElement {
    const { rollout, source, context } = this;
    const { code, parentProgram, completionTokens, prompt } = rollout;
    const tabs = new Tabs('Texts of the rollout');
    if (source) tabs.add('Program', () => element('div', '', [this.decision, source.node]));
    if (code !== null && parentProgram)
      tabs.add('Edit', () =>
        diffView(parentProgram.code, code, context.highlighter, `Changes to program ${parentProgram.id}`),
      );
    tabs.add('Completion', () =>
      element('div', '', [
        element('p', 'joylab-Rollouts-hint', tokenSummary(completionTokens)),
        tokenView(completionTokens),
      ]),
    );
    tabs.add('Prompt', () => element('pre', 'joylab-Rollout-prompt', prompt));
    return tabs.node;
  }

  /** Plays the episode again: at once with few frames, then with all, and with the lines that decided. */
  private async play(): Promise<void> {
    const { rollout, stage, context } = this;
    if (!rollout.episode) {
      stage.replaceChildren(element('p', 'joylab-Rollout-waiting', 'Nothing was played.'));
      return;
    }
    stage.replaceChildren(element('p', 'joylab-Rollout-waiting', 'Playing the episode again …'));
    // Why it fails is told below.
    this.takeBack = context.frames.want(
      rollout,
      null,
      (played) => this.showEarly(played),
      () => undefined,
    );
    try {
      const { data, frames } = await context.connection.replay(rollout.id, { lines: this.source !== null });
      const played = { data, frames: await decodeFrames(data.episode, frames), name: data.episode.environment };
      if (!this.disposed) this.showWhole(played);
    } catch (error) {
      if (!this.disposed) stage.replaceChildren(problem('The episode cannot be shown.', (error as Error).message));
    }
  }

  private showEarly(played: Played): void {
    if (this.disposed || this.player) return;
    this.player = new ReplayPlayer([played], () => undefined);
    this.remark.textContent = 'Playing it again, with every step …';
    this.stage.replaceChildren(this.player.node, this.remark);
  }

  private showWhole(played: Played): void {
    const { lines, states, note = '' } = played.data;
    const strips = new StateStrips(states, (step) => this.player?.seekStep(step));
    if (lines) this.source?.showCounts(lines);
    const moved = (step: number) => {
      strips.show(step);
      this.decide(lines, step);
    };
    const before = this.player;
    this.player = new ReplayPlayer([played], moved, before);
    this.remark.textContent = note;
    if (!before) this.stage.replaceChildren(this.player.node, this.remark);
    this.remark.before(strips.node);
    this.remark.hidden = note === '';
  }

  /** Shows which line chose the action after `step` steps. */
  private decide(lines: readonly number[] | null, step: number): void {
    if (!lines || !this.source) return;
    const line = lines[step] ?? 0;
    this.source.showCurrent(line);
    const over = step >= lines.length;
    setText(
      this.decision,
      over
        ? 'The episode is over.'
        : line > 0
          ? `Step ${step + 1} is decided in line ${line}.`
          : `Step ${step + 1}: no line of its own decides.`,
    );
  }
}

function wordsOf(value: unknown): string {
  if (typeof value === 'number') return shown(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Returns where the environment's rewards fell, in words. */
function fallsOf({ episode }: RolloutData): string[] {
  if (!episode) return [];
  const { rewards } = episode;
  const falls = rewards.flatMap((reward, i) => (reward !== 0 ? [i + 1] : []));
  if (falls.length === 0) return ['The environment gave no reward in any step'];
  const some = falls.slice(0, 12).join(', ') + (falls.length > 12 ? ', …' : '');
  return [`The environment gave rewards in ${falls.length} of ${rewards.length} steps: ${some}`];
}
