import type { ISessionContext } from '@jupyterlab/apputils';
import type { RewardsData } from '../../kernel/display/rewardsMime';
import { rewardsComm, type RewardsComm } from '../rewards/connection';
import { RewardsPanel } from '../rewards/panel';
import { element, setText } from '../widgets/element';

/** The reward functions of a run, in a part of its view that opens: the panel that shows them elsewhere, too. */
export class RewardsPart {
  readonly node = element('details', 'joylab-RewardsPart');
  private readonly about = element('span', 'joylab-RewardsPart-about');
  private panel: RewardsPanel | null = null;
  private connection: RewardsComm | null = null;
  private id = '';
  private painted: RewardsData | null = null;
  /** What the kernel sent last: newer than what the run has. */
  private sent: RewardsData | null = null;

  /** @param session `null` where outputs are shown without a kernel */
  constructor(private readonly session: ISessionContext | null) {
    this.node.append(element('summary', '', ['Rewards ', this.about]));
    this.node.hidden = true;
  }

  /** The functions as they are shown, for the notebook. */
  get data(): RewardsData | null {
    return this.sent;
  }

  /** Shows the functions that a run has, unless the kernel has sent newer ones. */
  show(data: RewardsData | undefined): void {
    this.node.hidden = data === undefined || data.rows.length === 0;
    if (!data) return;
    if (data.id !== this.id) this.connect(data);
    this.paint(this.sent ?? data);
  }

  dispose(): void {
    this.connection?.dispose();
  }

  private connect(data: RewardsData): void {
    this.id = data.id;
    this.sent = null;
    this.connection?.dispose();
    const panel = new RewardsPanel(data, (request) => this.connection?.send(request));
    this.panel?.node.remove();
    this.panel = panel;
    this.node.append(panel.node);
    if (!this.session) return;
    this.connection = rewardsComm(this.session, data.id, {
      message: (message) => {
        if (message.type === 'error') return panel.refuse(message.text);
        this.sent = message.data;
        this.paint(message.data);
      },
      connected: (connected) => panel.enable(connected),
    });
  }

  private paint(data: RewardsData): void {
    if (data === this.painted) return;
    this.painted = data;
    this.panel?.show(data);
    const said = data.notes.length + data.rows.reduce((sum, { notes }) => sum + notes.length, 0);
    const counts = data.rows.filter(({ enabled }) => enabled).map(({ name }) => name);
    setText(this.about, `${counts.join(', ')}${said > 0 ? ` · ${said} ${said === 1 ? 'remark' : 'remarks'}` : ''}`);
  }
}
