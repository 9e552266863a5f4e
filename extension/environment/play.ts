import type { Kernel } from '@jupyterlab/services';
import { PLAY_COMM, type PlayMessage, type PlayViewMessage } from '../../kernel/display/mime';
import { formatNumber } from '../episode/timeline';
import { drawingAddress } from '../frames/pictures';
import { Screen } from '../frames/screen';
import { FrameSequence } from '../frames/sequence';
import { element, setText } from '../widgets/element';

type Of<Type extends PlayMessage['type']> = Extract<PlayMessage, { type: Type }>;

/** Signs of keys, for the line that tells them. */
const SIGNS: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ' ': 'Space',
};

/** Where frames are shown. */
type GameScreen = Pick<Screen, 'node' | 'show' | 'dispose'> | DrawnScreen;

/** Shows SVG as an image, so that nothing in it can run. */
class DrawnScreen {
  readonly node = element('img', 'joylab-Screen joylab-mod-drawn');
  private readonly decoder = new TextDecoder();

  constructor(width: number, height: number) {
    this.node.style.aspectRatio = String(width / height);
    this.node.alt = '';
  }

  /** Shows a picture, in UTF-8. */
  show(svg: Uint8Array): void {
    this.node.src = drawingAddress(this.decoder.decode(svg));
  }

  dispose(): void {}
}

/** A game that a person plays by keyboard, in the place of a card's picture. */
export class PlayView {
  readonly node = element('div', 'joylab-Play');
  private readonly place = element('div', 'joylab-Play-screen');
  private readonly message = element('div', 'joylab-Play-message');
  private readonly numbers = element('div', 'joylab-Play-numbers');
  private readonly again = button('New game', () => this.start());
  private readonly finish = button('Finish', () => this.send({ type: 'finish' }));
  private readonly comm: Kernel.IComm;
  private screen: GameScreen | null = null;
  private held: string[] = [];
  private keys: Record<string, string> = {};
  /** Whether the game has lives: one without them may say 0 throughout. */
  private hasLives = false;
  private over = true;
  private paused = false;
  private closed = false;

  /**
   * @param id the card's ID for playing
   * @param ended called when the person has left, or the session has ended
   */
  constructor(
    kernel: Kernel.IKernelConnection,
    id: string,
    private readonly ended: () => void,
  ) {
    this.message.setAttribute('role', 'status');
    const bar = element('div', 'joylab-Play-bar', [
      this.numbers,
      this.again,
      this.finish,
      button('Close', () => this.close()),
    ]);
    this.node.append(this.place, bar, this.message);
    this.place.tabIndex = 0;
    this.place.dataset.lmSuppressShortcuts = 'true';
    this.place.setAttribute('role', 'application');
    this.place.setAttribute('aria-label', 'Game. Its keys are told below; Escape leaves.');
    this.place.addEventListener('keydown', (event) => this.onKey(event, true));
    this.place.addEventListener('keyup', (event) => this.onKey(event, false));
    this.place.addEventListener('blur', () => this.pause(true));
    this.place.addEventListener('focus', () => this.pause(false));
    this.finish.disabled = true;
    this.comm = kernel.createComm(PLAY_COMM);
    this.comm.onMsg = ({ content, buffers = [] }) =>
      this.receive(content.data as unknown as PlayMessage, buffers.map(toBytes));
    this.comm.onClose = () => {
      this.closed = true;
      // A kernel that has shown no card only closes.
      if (!this.screen && !this.message.textContent) this.tell('This environment is not open. Run its cell to play.');
      this.finish.disabled = this.again.disabled = true;
    };
    this.comm.open({ id });
  }

  close(): void {
    if (!this.closed) this.comm.close();
    this.closed = true;
    this.screen?.dispose();
    this.node.remove();
    this.ended();
  }

  private receive(message: PlayMessage, buffers: Uint8Array[]): void {
    switch (message.type) {
      case 'ready':
        return this.ready(message, buffers[0]);
      case 'started':
        this.over = false;
        this.finish.disabled = false;
        return;
      case 'frame':
        this.show(message, buffers[0]);
        return this.send({ type: 'ack' });
      case 'recorded':
        return this.tell(scored(message));
      case 'error':
        this.over = true;
        return this.tell(message.text);
    }
  }

  private ready({ width, height, aspect, keys, drawn }: Of<'ready'>, palette: Uint8Array): void {
    this.keys = keys;
    this.screen = drawn
      ? new DrawnScreen(width, height)
      : new Screen(new FrameSequence(width, height, palette, aspect));
    this.place.replaceChildren(this.screen.node);
    this.screen.node.setAttribute('aria-hidden', 'true');
    this.start();
  }

  private start(): void {
    this.held = [];
    this.tell('');
    this.send({ type: 'start' });
    this.paused = false;
    this.place.focus();
    this.tell(hint(this.keys));
  }

  private show({ step, lives, done, ...frame }: Of<'frame'>, pixels: Uint8Array): void {
    this.screen?.show(pixels);
    this.hasLives ||= lives !== undefined && lives > 0;
    setText(
      this.numbers,
      `Score ${formatNumber(frame.return)}${this.hasLives ? ` · Lives ${lives}` : ''} · Step ${step}${frame.action === 'NOOP' ? '' : ` · ${frame.action}`}`,
    );
    if (!done) return;
    this.over = true;
    this.finish.disabled = true;
    this.tell('The game is over: it is being scored…');
  }

  /** Stops the game while it has not the focus. */
  private pause(paused: boolean): void {
    if (this.over || this.closed || paused === this.paused) return;
    this.paused = paused;
    this.held = [];
    this.send({ type: 'keys', keys: [] });
    this.send({ type: 'pause', paused });
    this.place.classList.toggle('joylab-mod-paused', paused);
    this.tell(paused ? 'Paused. Click the picture to go on.' : hint(this.keys));
  }

  private onKey(event: KeyboardEvent, down: boolean): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (down && event.key === 'Escape') this.close();
    else if (down && event.key === 'Enter' && this.over) this.start();
    else if (!(event.key in this.keys)) return;
    else if (!event.repeat) {
      this.held = this.held.filter((key) => key !== event.key);
      if (down) this.held.push(event.key);
      this.send({ type: 'keys', keys: this.held });
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private send(message: PlayViewMessage): void {
    if (!this.closed && !this.comm.isDisposed) this.comm.send(message as never);
    if (message.type === 'finish') this.finish.disabled = this.over = true;
  }

  private tell(text: string): void {
    setText(this.message, text);
  }
}

function hint(keys: Record<string, string>): string {
  const told = Object.entries(keys).map(([key, name]) => `${SIGNS[key] ?? key} ${name.toLowerCase()}`);
  return `${told.join(' · ')} · Escape leaves`;
}

function scored({ steps, rewards, reward, error, ...episode }: Of<'recorded'>): string {
  const parts = rewards.map(({ name, value }) => `${name} ${value === null ? '–' : formatNumber(value)}`);
  const sum = reward === null ? '' : `: reward ${formatNumber(reward)} (${parts.join(', ')})`;
  return `Recorded, the newest of env.played: ${steps} steps, return ${formatNumber(episode.return)}${sum}.${error ? ` ${error}` : ''} Enter starts another game.`;
}

function button(text: string, onClick: () => void): HTMLButtonElement {
  const node = element('button', 'joylab-Action', text);
  node.type = 'button';
  node.addEventListener('click', onClick);
  return node;
}

function toBytes(buffer: ArrayBuffer | ArrayBufferView): Uint8Array {
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
