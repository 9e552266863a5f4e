import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';

/** Milliseconds between two looks. A look that comes much later was in a sleeping machine. */
const LOOK = 5000;
/** Milliseconds of silence after which the kernel is asked whether it is there, of waiting for its answer, and between two tries to connect. */
const SILENCE = 10_000;
const PATIENCE = 10_000;
const RETRY = 20_000;
/**
 * The same while a try is under way. It is not given up sooner: what arrives of it after
 * another has connected makes Jupyter's server close that one's channels.
 */
const LONG_RETRY = 120_000;

/** Milliseconds in which a new view is told of a way that was lost and is back. */
const FRESH = 10_000;

/** Called when the way to the kernel is lost, with the time of the last message, and with `null` when it is back. */
export type Lost = (since: number | null) => void;

const pulses = new WeakMap<ISessionContext, Pulse>();

/**
 * Watches the way from a page to its kernel while a run goes on. Returns what ends that.
 *
 * #### Notes
 * A browser does not tell that its connection is dead: after a sleep, or where a network
 * drops packets, it waits for hours. JupyterLab connects again where the connection is
 * closed, but gives up after two minutes. So a silent kernel is asked, which its wire
 * thread answers at once, and where no answer comes, JupyterLab is told to connect again,
 * as long as the run is watched.
 */
export function watchConnection(session: ISessionContext, lost: Lost): () => void {
  let pulse = pulses.get(session);
  if (!pulse) pulses.set(session, (pulse = new Pulse(session)));
  return pulse.add(lost);
}

class Pulse {
  private readonly listeners = new Set<Lost>();
  private timer = 0;
  private lookedAt = 0;
  private heardAt = 0;
  private askedAt: number | null = null;
  private triedAt = 0;
  private since: number | null = null;
  /** The last time that the way was lost, and when it was back. */
  private gone: { since: number; back: number } | null = null;

  constructor(private readonly session: ISessionContext) {}

  add(lost: Lost): () => void {
    this.listeners.add(lost);
    if (this.listeners.size === 1) this.start();
    if (this.since !== null) lost(this.since);
    else if (this.gone && Date.now() - this.gone.back < FRESH) {
      // Outputs that come late make a new view: it tells what the one before would have told.
      lost(this.gone.since);
      lost(null);
    }
    return () => {
      if (this.listeners.delete(lost) && this.listeners.size === 0) this.stop();
    };
  }

  private start(): void {
    this.lookedAt = this.heardAt = Date.now();
    this.askedAt = this.since = null;
    this.session.iopubMessage.connect(this.heard, this);
    this.session.connectionStatusChanged.connect(this.onStatus, this);
    window.addEventListener('online', this.retry);
    this.timer = window.setInterval(() => this.look(), LOOK);
  }

  private stop(): void {
    this.session.iopubMessage.disconnect(this.heard, this);
    this.session.connectionStatusChanged.disconnect(this.onStatus, this);
    window.removeEventListener('online', this.retry);
    window.clearInterval(this.timer);
  }

  private get kernel(): Kernel.IKernelConnection | null {
    const kernel = this.session.session?.kernel ?? null;
    return kernel && !kernel.isDisposed && kernel.status !== 'dead' ? kernel : null;
  }

  private heard(): void {
    this.heardAt = Date.now();
    this.askedAt = null;
    if (this.kernel?.connectionStatus === 'connected') this.tell(null);
  }

  private onStatus(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') this.heard();
    else this.tell(this.heardAt);
  }

  private look(): void {
    const now = Date.now();
    const slept = now - this.lookedAt > 6 * LOOK;
    this.lookedAt = now;
    const { kernel } = this;
    if (!kernel) return;
    if (slept || kernel.connectionStatus !== 'connected') return this.retryLater(slept);
    if (this.askedAt !== null && now - this.askedAt > PATIENCE) {
      this.tell(this.heardAt);
      this.retryLater();
    } else if (this.askedAt === null && now - this.heardAt > SILENCE) {
      this.askedAt = now;
      kernel.requestKernelInfo().then(
        () => this.heard(),
        () => undefined,
      );
    }
  }

  private retryLater(atOnce = false): void {
    const pause = this.kernel?.connectionStatus === 'connecting' ? LONG_RETRY : RETRY;
    if (atOnce || Date.now() - this.triedAt > pause) this.retry();
  }

  private readonly retry = (): void => {
    this.triedAt = Date.now();
    this.askedAt = null;
    this.kernel?.reconnect().catch(() => undefined);
  };

  private tell(since: number | null): void {
    if ((since === null) === (this.since === null)) return;
    if (this.since !== null) this.gone = { since: this.since, back: Date.now() };
    this.since = since;
    for (const lost of this.listeners) lost(since);
  }
}
