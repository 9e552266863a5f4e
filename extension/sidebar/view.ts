import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { OVERVIEW_COMM, type OverviewMessage, type OverviewRequest } from '../../kernel/display/overview';
import { hasJoylab, joylabChanged } from '../cells/kernel';
import { element } from '../widgets/element';
import { NotebookComm } from '../widgets/notebookComm';
import { NotebookContents } from './contents';
import { emptyState } from './empty';
// From where this file is compiled to. The style is loaded with the panel.
import '../../../../style/training.css';
import '../../../../style/comparison.css';
import '../../../../style/rewards.css';
import '../../../../style/sidebar.css';

/** What the side panel shows: of the notebook in front environments, reward functions and runs, or why there are none. */
export class SidebarView {
  readonly node = element('div', 'joylab-Panel-view');
  private panel: NotebookPanel | null = null;
  private comm: NotebookComm<OverviewRequest, OverviewMessage> | null = null;
  private contents: NotebookContents | null = null;
  private visible = false;
  /** Whether the session of the notebook has begun: one without a kernel has none. */
  private begun = false;
  /** What is told in place of contents. */
  private told = '';

  constructor(
    private readonly notebooks: INotebookTracker,
    private readonly app: JupyterFrontEnd,
  ) {
    notebooks.currentChanged.connect(this.follow, this);
    joylabChanged.connect(this.refresh, this);
  }

  /** Follows the notebook while it is visible, and asks for nothing while it is not. */
  setVisible(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    if (visible) this.follow();
    else this.leave();
  }

  dispose(): void {
    this.setVisible(false);
    this.notebooks.currentChanged.disconnect(this.follow, this);
    joylabChanged.disconnect(this.refresh, this);
  }

  private follow(): void {
    const { currentWidget } = this.notebooks;
    if (!this.visible || (this.panel && this.panel === currentWidget)) return;
    this.leave();
    this.panel = currentWidget;
    const { panel } = this;
    if (panel) {
      const { sessionContext } = panel;
      sessionContext.kernelChanged.connect(this.refresh, this);
      sessionContext.statusChanged.connect(this.refresh, this);
      panel.disposed.connect(this.leave, this);
      void sessionContext.ready.then(() => {
        if (panel !== this.panel) return;
        this.begun = true;
        this.refresh();
      });
    }
    this.refresh();
  }

  private leave(): void {
    const { panel } = this;
    this.disconnect();
    this.panel = null;
    this.begun = false;
    this.told = '';
    if (!panel) return;
    panel.disposed.disconnect(this.leave, this);
    panel.sessionContext?.kernelChanged.disconnect(this.refresh, this);
    panel.sessionContext?.statusChanged.disconnect(this.refresh, this);
  }

  private disconnect(): void {
    this.comm?.dispose();
    this.contents?.dispose();
    this.comm = this.contents = null;
  }

  /** Shows the notebook's contents where its kernel is Joylab, else why there are none. */
  private refresh(): void {
    if (!this.visible) return;
    const { panel } = this;
    if (panel && hasJoylab(panel) && !isGone(panel.sessionContext)) {
      if (!this.comm) this.connect(panel);
      return;
    }
    this.disconnect();
    const [text, label, command] = reason(panel, this.begun);
    if (text === this.told) return;
    this.told = text;
    const run = () => void this.app.commands.execute(command);
    this.node.replaceChildren(emptyState(text, label ? [{ label, run }] : []));
  }

  private connect(panel: NotebookPanel): void {
    this.told = '';
    this.node.replaceChildren(emptyState('Waiting for the kernel…', []));
    const comm: NotebookComm<OverviewRequest, OverviewMessage> = new NotebookComm(
      panel.sessionContext,
      { target: OVERVIEW_COMM, reopens: true },
      {
        opened: () => comm.send({ type: 'visible', visible: true }),
        message: (message) => {
          if (message.type === 'error') return this.contents?.refuse(message.text);
          if (!this.contents) {
            this.contents = new NotebookContents(this.app, panel, (request) => comm.send(request));
            this.node.replaceChildren(this.contents.node);
          }
          this.contents.show(message.data);
        },
        connected: (connected) => {
          if (connected || comm !== this.comm) return;
          this.contents?.dispose();
          this.contents = null;
          this.node.replaceChildren(emptyState('Waiting for the kernel…', []));
        },
      },
    );
    this.comm = comm;
  }
}

/** Whether the kernel of a session has ended. */
function isGone({ session }: ISessionContext): boolean {
  return !session?.kernel || session.kernel.status === 'dead';
}

/** Returns why a notebook shows nothing, and what helps: the text of a button, and its command. */
function reason(panel: NotebookPanel | null, begun: boolean): [text: string, label: string, command: string] {
  if (!panel)
    return [
      'No notebook is open. This panel shows its environments, rewards and runs.',
      'New Atari GRPO notebook',
      'joylab:new-atari-notebook',
    ];
  const { sessionContext } = panel;
  if (!begun || sessionContext.isTerminating) return ['Waiting for the kernel…', '', ''];
  const { session } = sessionContext;
  if (!session?.kernel) return ['This notebook has no kernel.', 'Choose a kernel', 'notebook:change-kernel'];
  if (session.kernel.status === 'dead')
    return [
      'The kernel has ended: its environments and runs are gone.',
      'Restart the kernel',
      'notebook:restart-kernel',
    ];
  if (['unknown', 'starting', 'restarting', 'autorestarting'].includes(session.kernel.status))
    return ['Waiting for the kernel…', '', ''];
  return ["This notebook's kernel is not Joylab.", 'Change the kernel', 'notebook:change-kernel'];
}
