import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { LabIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import { CATEGORY } from '../commands';
import type { SidebarView } from './view';

const SHOW = 'joylab:show-panel';

/** Bricks, a ball and a paddle. */
const joylabIcon = new LabIcon({
  name: 'joylab:panel',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M3 4h5v3H3zM9.500 4h5v3h-5zM16 4h5v3h-5zM3 8.500h5v3H3zM16 8.500h5v3h-5zM12 12a2 2 0 1 0 .01 0zM4 18h10v2.500H4z"/></svg>',
});

/** Shows the environments, reward functions and runs of the notebook in front, in the left area. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:sidebar',
  description: 'Side panel of environments, reward functions and runs.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ILayoutRestorer, ICommandPalette],
  activate(
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
  ): void {
    const { shell, commands } = app;
    const panel = new Sidebar(async () => {
      // Loaded when it is first shown.
      const { SidebarView } = await import('./view');
      return new SidebarView(notebooks, app);
    });
    shell.add(panel, 'left', { rank: 510 });
    restorer?.add(panel, panel.id);
    commands.addCommand(SHOW, {
      label: 'Show Joylab Panel',
      caption: 'Show the environments, reward functions and runs of the notebook in front',
      execute: () => shell.activateById(panel.id),
    });
    palette?.addItem({ command: SHOW, category: CATEGORY });
  },
};

/** The panel; what it shows is loaded when it is first visible, and stands still while it is not. */
class Sidebar extends Widget {
  private view: SidebarView | null = null;
  private readonly onVisibility = () => this.update();

  constructor(private readonly load: () => Promise<SidebarView>) {
    super();
    this.id = 'joylab-panel';
    this.title.icon = joylabIcon;
    this.title.caption = 'Joylab: environments, rewards, runs';
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Joylab');
    this.addClass('joylab-Output');
    this.addClass('joylab-Panel');
    document.addEventListener('visibilitychange', this.onVisibility);
  }

  override dispose(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.view?.dispose();
    super.dispose();
  }

  protected override onAfterShow(): void {
    void this.fill();
  }

  protected override onAfterHide(): void {
    this.view?.setVisible(false);
  }

  protected override onUpdateRequest(): void {
    this.view?.setVisible(this.isVisible && document.visibilityState === 'visible');
  }

  protected override onActivateRequest(): void {
    this.node.focus();
  }

  private async fill(): Promise<void> {
    if (!this.view) {
      const view = await this.load();
      if (this.isDisposed || this.view) return view.dispose();
      this.view = view;
      this.node.append(view.node);
    }
    this.update();
  }
}
