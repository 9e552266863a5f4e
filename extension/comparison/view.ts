import type { ISessionContext } from '@jupyterlab/apputils';
import type { ComparedFunction, ComparisonData } from '../../kernel/display/rewardsMime';
import { formatNumber } from '../../kernel/display/table';
import { EpisodePlayer } from '../episode/player';
import type { Frames } from '../frames/view';
import { watchVisibility } from '../frames/visibility';
import { describe, element } from '../widgets/element';
import { keepReachable } from '../widgets/reachable';
import { change } from './change';
import { ComparedEpisodes, type PlayedAgain } from './episodes';
import { histogram } from './histogram';
import { RolloutCard } from './rolloutCard';
import { comparisonTable } from './table';
// From where this file is compiled to. The style is loaded with the view.
import '../../../../style/wall.css';
import '../../../../style/steps.css';
import '../../../../style/comparison.css';

/** Shows what changed when rollouts were scored again: functions, failures, the largest gains and losses, all of them. */
export class ComparisonView {
  readonly node: HTMLElement;
  private readonly episodes: ComparedEpisodes | null;
  private readonly cards: RolloutCard[] = [];
  private readonly detail = element('div', 'joylab-Group-detail');
  private readonly unwatch: () => void;
  private player: EpisodePlayer | null = null;

  /** @param session `null` where outputs are shown without a kernel */
  constructor(data: ComparisonData, session: ISessionContext | null) {
    this.episodes = session && new ComparedEpisodes(session, data.id);
    this.detail.hidden = true;
    this.node = element('div', 'joylab-Card joylab-Compare', [
      head(data),
      ...(data.failures.length > 0 ? [failures(data)] : []),
      ...(data.functions.length > 0 ? [summary(data)] : []),
      ...this.largest(data),
      this.detail,
      ...(data.rollouts.length > 0 ? [section(title(data)), comparisonTable(data)] : []),
    ]);
    this.unwatch = watchVisibility(this.node, (visible) => this.onVisible(visible));
  }

  dispose(): void {
    this.unwatch();
    this.closePlayer();
    for (const card of this.cards) card.dispose();
    this.episodes?.dispose();
    this.node.remove();
  }

  private largest({ rollouts, gains, losses }: ComparisonData): HTMLElement[] {
    const column = (name: string, some: number[]) => {
      const cards = some.map(
        (i) => new RolloutCard(rollouts[i], this.episodes !== null, (played, frames) => this.open(played, frames)),
      );
      this.cards.push(...cards);
      return element('div', 'joylab-Compare-column', [
        element('div', 'joylab-Compare-label', name),
        ...(cards.length > 0
          ? cards.map((card) => card.node)
          : [element('div', 'joylab-Compare-none', 'none: the advantages stay as they are')]),
      ]);
    };
    if (gains.length + losses.length === 0) return [];
    return [
      element('div', 'joylab-Compare-largest', [column('Largest gains', gains), column('Largest losses', losses)]),
    ];
  }

  /** Asks for frames while it is in view, and stops them while it is not. */
  private onVisible(visible: boolean): void {
    for (const card of this.cards) {
      card.hold(!visible);
      if (visible && this.episodes) void card.show(this.episodes);
    }
  }

  private open({ episode }: PlayedAgain, frames: Frames): void {
    this.closePlayer();
    this.player = new EpisodePlayer(episode, frames);
    const close = element('button', 'joylab-Switch', 'Close');
    close.type = 'button';
    describe(close, 'Close the player');
    close.addEventListener('click', () => this.closePlayer());
    this.detail.replaceChildren(this.player.node, close);
    this.detail.hidden = false;
    this.player.node.focus();
  }

  private closePlayer(): void {
    this.player?.dispose();
    this.player = null;
    this.detail.replaceChildren();
    this.detail.hidden = true;
  }
}

function head({ functions, unchanged, failures, count, groups }: ComparisonData): HTMLElement {
  const changed = functions.map(({ name }) => name);
  const failed = [...new Set(failures.map(({ name }) => name))].filter((name) => !changed.includes(name));
  const what = [
    ...(changed.length > 0 ? [`${changed.join(', ')} changed`] : []),
    ...(failed.length > 0 ? [`${failed.join(', ')} failed`] : []),
  ];
  const facts = [
    ...(count > 0
      ? [`the last ${count} rollouts in ${groups} ${groups === 1 ? 'group' : 'groups'}, scored again without playing`]
      : []),
    ...(unchanged.length > 0 ? [`${unchanged.join(', ')} as before`] : []),
  ];
  return element('div', 'joylab-Compare-head', [
    element('span', 'joylab-Compare-title', what.join('; ')),
    element('span', 'joylab-Compare-facts', facts.join(' · ')),
  ]);
}

function title({ rollouts, changed, count }: ComparisonData): string {
  const same = count - changed;
  const text = same > 0 ? `${changed} rollouts changed, ${same} did not` : `All ${count} rollouts changed`;
  return changed > rollouts.length ? `${text}; those ${rollouts.length} changed most` : text;
}

function section(text: string): HTMLElement {
  return element('div', 'joylab-Section', text);
}

/** Returns the failures: one row for those of one kind, with the code. */
function failures({ failures }: ComparisonData): HTMLElement {
  const rows = failures.map(({ name, samples, text, code }) => {
    const count = samples.length === 1 ? `rollout ${samples[0]}` : `${samples.length} rollouts`;
    const pre = element('pre', 'joylab-Compared-code', code);
    keepReachable(pre);
    return element('div', 'joylab-Compare-failure', [
      element('span', '', [element('b', '', `${name} failed on ${count}: `), text]),
      ...(code ? [pre] : []),
    ]);
  });
  const node = element('div', 'joylab-Compare-failures', rows);
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', 'Failures');
  return node;
}

/** Returns the functions that changed with their distributions, and what follows for sums and groups. */
function summary(data: ComparisonData): HTMLElement {
  const { sum, groups, groupsWithoutSpread, moved, count } = data;
  const fact = (name: string, value: HTMLElement | string) =>
    element('div', 'joylab-Compared-row', [element('span', 'joylab-Compared-name', name), value]);
  const effects = element('div', 'joylab-Compare-function', [
    element('div', 'joylab-Compare-label', 'All rewards'),
    fact('mean of the sum', change([sum.before, sum.after])),
    fact(`groups without spread, of ${groups}`, change([groupsWithoutSpread.before, groupsWithoutSpread.after], -1)),
    fact('other rank in the group', `${moved} of ${count}`),
  ]);
  return element('div', 'joylab-Compare-functions', [...data.functions.map(functionSummary), effects]);
}

function functionSummary(data: ComparedFunction): HTMLElement {
  const { name, isNew, weight, weightBefore, before, after } = data;
  const fact = (label: string, value: HTMLElement | string) =>
    element('div', 'joylab-Compared-row', [element('span', 'joylab-Compared-name', label), value]);
  const legend = element('div', 'joylab-Histogram-legend', [
    ...(isNew ? [] : [element('span', 'joylab-mod-before', 'before')]),
    element('span', 'joylab-mod-after', 'now'),
  ]);
  return element('div', 'joylab-Compare-function', [
    element('div', 'joylab-Compare-label', [isNew ? `${name}, new` : name, legend]),
    histogram(data),
    fact('mean', change([before.mean, after.mean])),
    fact('standard deviation', `${formatNumber(before.std)} → ${formatNumber(after.std)}`),
    ...(weightBefore === undefined ? [] : [fact('weight', `${weightBefore} → ${weight}`)]),
  ]);
}
