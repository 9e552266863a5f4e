import type { Comm } from '../../display/cellContext';
import type { OverviewMessage, OverviewRequest } from '../../display/overview';
import type { Variables } from '../variables';
import { closeEnvironment } from './environments';
import { overviewOf } from './overview';
import { controlRun } from './runs';

/** Milliseconds between two looks for changes, while the panel is visible. */
const INTERVAL = 1000;

/** A side panel that follows the notebook. */
export class OverviewSession {
  private timer: NodeJS.Timeout | null = null;
  private sent = '';

  constructor(
    private readonly comm: Comm,
    private readonly variables: Variables,
  ) {
    comm.onMessage((request: OverviewRequest) => void this.apply(request));
    comm.onClose(() => this.follow(false));
  }

  private async apply(request: OverviewRequest): Promise<void> {
    try {
      if (request?.type === 'visible') this.follow(request.visible === true);
      else if (request?.type === 'close') await closeEnvironment(this.variables, String(request.variable));
      else if (request?.type === 'control') controlRun(String(request.runId), request.control);
    } catch (error) {
      this.post({ type: 'error', text: error instanceof Error ? error.message : String(error) });
    }
    if (this.timer) this.send();
  }

  private follow(visible: boolean): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = visible ? setInterval(() => this.send(), INTERVAL).unref() : null;
    // What a panel has shown before may be old.
    this.sent = '';
  }

  private send(): void {
    const data = overviewOf(this.variables);
    const text = JSON.stringify(data);
    if (text === this.sent) return;
    this.sent = text;
    this.post({ type: 'data', data });
  }

  private post(message: OverviewMessage): void {
    this.comm.send(message);
  }
}
