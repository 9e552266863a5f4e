import { Widget } from '@lumino/widgets';
import { describe, element } from '../widgets/element';
import { problem } from '../widgets/problem';
import { comparePage } from './pages/compare';
import type { RolloutsConnection } from './connection';
import type { Order, Page, PageContext } from './pages/page';
import { rolloutPage } from './pages/rollout';
import { linkTo, type Route } from './route';
import { runsPage } from './pages/runs';
import type { Highlighter } from './source';
import { stepPage } from './pages/step';
import { TileFrames } from './tileFrames';
// From where this file is compiled to. The style is loaded with the view.
import '../../../../style/rollouts.css';
import '../../../../style/rollout.css';

/** Milliseconds between two looks for new steps of a run, while the view is visible. */
const REFRESH = 4000;

/** The rollouts that runs have kept: runs, the steps of a run, the group of a step, a rollout, two side by side. */
export class RolloutsPanel extends Widget {
  private readonly trail = element('nav', 'joylab-Rollouts-trail');
  private readonly place = element('div', 'joylab-Rollouts-place');
  private readonly order: Order = { by: 'reward', ascending: false, filter: '', pinned: null };
  private readonly frames: TileFrames;
  private page: Page | null = null;
  /** Counts calls of `visit`: only the newest may show its page. */
  private visits = 0;
  private readonly timer: number;

  /** @param moved called when something else is shown, with what that is */
  constructor(
    private readonly connection: RolloutsConnection,
    private readonly highlighter: Highlighter,
    private current: Route,
    private readonly moved: () => void,
  ) {
    super();
    this.frames = new TileFrames(connection);
    this.addClass('joylab-Output');
    this.addClass('joylab-Rollouts');
    this.node.tabIndex = -1;
    this.trail.setAttribute('aria-label', 'Runs, steps and rollouts');
    this.node.append(this.trail, this.place);
    this.node.addEventListener('keydown', (event) => this.onKey(event));
    this.timer = window.setInterval(() => this.refresh(), REFRESH);
  }

  get route(): Route {
    return this.current;
  }

  /** Shows what a route names, in place of what is shown. */
  async visit(route: Route): Promise<void> {
    const visit = ++this.visits;
    this.current = route;
    this.showTrail();
    this.moved();
    this.place.setAttribute('aria-busy', 'true');
    const { connection, highlighter, order, frames } = this;
    const context: PageContext = {
      connection,
      highlighter,
      order,
      frames,
      route,
      go: (change) => this.go(change),
      note: (change) => this.note(change),
    };
    let page: Page | null = null;
    let node: HTMLElement;
    try {
      page = await pageOf(context);
      node = page.node;
    } catch (error) {
      node = problem('The rollouts cannot be shown.', (error as Error).message);
    }
    if (visit !== this.visits || this.isDisposed) return page?.dispose();
    const hadFocus = this.node.contains(document.activeElement);
    this.page?.dispose();
    this.page = page;
    this.place.replaceChildren(node);
    this.place.removeAttribute('aria-busy');
    if (hadFocus && !this.node.contains(document.activeElement)) this.node.focus();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    window.clearInterval(this.timer);
    this.page?.dispose();
    this.page = null;
    this.connection.dispose();
    super.dispose();
  }

  protected override onActivateRequest(): void {
    if (!this.node.contains(document.activeElement)) this.node.focus();
  }

  private go(change: Partial<Route>): void {
    void this.visit({ ...this.current, ...change });
  }

  /** Takes note of what a page shows now by itself. */
  private note(change: Partial<Route>): void {
    this.current = { ...this.current, ...change };
    this.showTrail();
    this.moved();
  }

  private refresh(): void {
    if (this.isVisible && document.visibilityState === 'visible') this.page?.refresh?.().catch(() => undefined);
  }

  private onKey(event: KeyboardEvent): void {
    const { target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
    if (!this.page?.onKey?.(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private showTrail(): void {
    const { run, step, position, other } = this.current;
    const parts: Array<[text: string, change: Partial<Route>]> = [
      ['Runs', { run: undefined, step: undefined, position: undefined, other: undefined }],
    ];
    if (run !== undefined) parts.push(['Run', { position: undefined, other: undefined }]);
    if (run !== undefined && step !== undefined)
      parts.push([`Step ${step}`, { position: undefined, other: undefined }]);
    if (position !== undefined) parts.push([`No. ${position + 1}`, { other: undefined }]);
    if (other !== undefined) parts.push(['Comparison', {}]);
    const nodes = parts.flatMap(([text, change], i) => {
      const isLast = i === parts.length - 1;
      const node = isLast ? element('span', 'joylab-Rollouts-here', text) : element('button', 'joylab-Link', text);
      if (node instanceof HTMLButtonElement) {
        node.type = 'button';
        node.addEventListener('click', () => this.go(change));
      } else node.setAttribute('aria-current', 'page');
      return i === 0 ? [node] : [element('span', 'joylab-Rollouts-apart', '›'), node];
    });
    this.trail.replaceChildren(...nodes, this.linkButton());
  }

  private linkButton(): HTMLElement {
    const button = element('button', 'joylab-Switch joylab-Rollouts-copy', 'Copy link');
    button.type = 'button';
    describe(button, 'Copy a link to what is shown');
    button.addEventListener('click', () => {
      void navigator.clipboard?.writeText(linkTo(this.current)).then(() => {
        button.textContent = 'Copied';
      });
    });
    return button;
  }
}

function pageOf(context: PageContext): Promise<Page> {
  const { run, step, position, other } = context.route;
  if (run === undefined) return runsPage(context);
  if (step === undefined || position === undefined) return stepPage(context);
  return other ? comparePage(context) : rolloutPage(context);
}
