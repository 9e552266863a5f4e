import { deflateSync } from 'node:zlib';
import { changesOf } from '../../episodes/changes';
import type { LiveEpisode, LiveView, PixelScreen } from '../../episodes/live';
import { svgSize } from '../../episodes/svg';
import type { LiveScreen, LiveTile, PlayingGroup, TrainingMessage } from '../mime';
import { endText } from '../pictures/episode';

/** Milliseconds between two messages to a view, at least: what several sessions tell meanwhile travels together. */
const INTERVAL = 150;
/** Milliseconds without an answer after which a view counts as gone. */
const PATIENCE = 3000;

/** Sends a view a message with buffers. */
type Send = (message: TrainingMessage, buffers: Uint8Array[]) => void;

/** A rollout that plays, as it is now. */
interface Tile {
  episode: LiveEpisode;
  /** The picture of palette indices, four in a word. */
  pixels?: Uint32Array;
  /** The drawing or text. */
  text?: string;
  /** Counts what was told of it, and its pictures. */
  version: number;
  picture: number;
}

/**
 * The rollouts of a step while they play. Each view that looks on gets what has changed
 * since its last message, once it has drawn that.
 */
export class LiveGroup implements LiveView {
  readonly count: number;
  readonly tiles: Array<Tile | undefined> = [];
  screen: PixelScreen | undefined;
  private readonly feeds = new Map<object, LiveFeed>();

  constructor(readonly group: PlayingGroup) {
    this.count = group.tiles.length;
  }

  get wanted(): number {
    return Math.max(0, ...[...this.feeds.values()].map((feed) => feed.wanted));
  }

  show(index: number, episode: LiveEpisode, screen?: PixelScreen): void {
    if (screen) this.screen = screen;
    const tile = (this.tiles[index] ??= { episode, version: 0, picture: 0 });
    tile.episode = episode;
    tile.version++;
    const { picture } = episode;
    if (picture !== undefined) tile.picture++;
    if (typeof picture === 'string') tile.text = picture;
    else if (picture) tile.pixels = wordsOf(picture);
    for (const feed of this.feeds.values()) feed.sendSoon();
  }

  /** Sets how many of the first rollouts a view shows; 0: none, it is hidden. */
  follow(view: object, count: number, send: Send): void {
    let feed = this.feeds.get(view);
    if (!feed) this.feeds.set(view, (feed = new LiveFeed(this, send)));
    feed.shown = Math.min(count, this.count);
    feed.sendSoon();
  }

  /** A view has drawn what it was sent. */
  drawn(view: object): void {
    this.feeds.get(view)?.drawn();
  }

  /** Forgets a view: it has closed, or lacks messages. */
  forget(view: object): void {
    this.feeds.get(view)?.stop();
    this.feeds.delete(view);
  }

  /** Ends all messages. */
  stop(): void {
    for (const view of this.feeds.keys()) this.forget(view);
  }
}

/** What one view has of a group that plays. */
class LiveFeed {
  /** Number of the first rollouts that it shows. */
  shown = 0;
  private readonly sent: Array<{ pixels?: Uint32Array; version: number; picture: number }> = [];
  private hasScreen = false;
  private waiting = false;
  private sentAt = -Infinity;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly group: LiveGroup,
    private readonly sendMessage: Send,
  ) {}

  get wanted(): number {
    return this.waiting && performance.now() - this.sentAt > PATIENCE ? 0 : this.shown;
  }

  drawn(): void {
    this.waiting = false;
    this.sendSoon();
  }

  sendSoon(): void {
    if (this.timer || this.waiting || this.shown === 0) return;
    this.timer = setTimeout(() => this.send(), Math.max(0, this.sentAt + INTERVAL - performance.now()));
    this.timer.unref();
  }

  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.shown = 0;
  }

  private send(): void {
    this.timer = null;
    const { screen, group, tiles } = this.group;
    const told: LiveTile[] = [];
    const parts: Uint8Array[] = [];
    for (let index = 0; index < this.shown; index++) {
      const tile = tiles[index];
      const sent = (this.sent[index] ??= { version: 0, picture: 0 });
      if (!tile || tile.version === sent.version) continue;
      const { steps, return: sum, end } = tile.episode;
      const picture = tile.picture === sent.picture ? undefined : this.packed(tile, sent);
      told.push({
        index,
        steps,
        return: sum,
        ...(end && { end: endText({ end }) }),
        ...(picture && { picture: picture.about }),
      });
      if (picture) parts.push(picture.bytes);
      Object.assign(sent, { version: tile.version, picture: tile.picture });
    }
    if (told.length === 0) return;
    const isFirst = screen && !this.hasScreen;
    this.hasScreen ||= screen !== undefined;
    this.waiting = true;
    this.sentAt = performance.now();
    this.sendMessage(
      { type: 'live', step: group.step, tiles: told, ...(isFirst && { screen: shownScreen(screen) }) },
      parts.length > 0 ? [deflateSync(Buffer.concat(parts), { level: 1 })] : [],
    );
  }

  /** Returns a picture as it is sent: pixels whole the first time, then by what has changed. */
  private packed(
    { pixels, text }: Tile,
    sent: { pixels?: Uint32Array },
  ): { about: NonNullable<LiveTile['picture']>; bytes: Uint8Array } | undefined {
    if (text !== undefined) {
      const bytes = Buffer.from(text);
      return { about: { ...pictureSize(text), bytes: bytes.length }, bytes };
    }
    if (!pixels) return undefined;
    const words = sent.pixels ? changesOf(sent.pixels, pixels) : pixels;
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    const about = { type: sent.pixels ? ('changes' as const) : ('pixels' as const), bytes: bytes.length };
    sent.pixels = pixels;
    return { about, bytes };
  }
}

/** Returns pixels as words of four, the last one filled up. */
function wordsOf(pixels: Uint8Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(pixels.length / 4));
  new Uint8Array(words.buffer).set(pixels);
  return words;
}

function pictureSize(text: string): { type: 'image/svg+xml' | 'text/plain'; width: number; height: number } {
  if (text.includes('<svg')) return { type: 'image/svg+xml', ...svgSize(text) };
  const lines = text.split('\n');
  return {
    type: 'text/plain',
    width: Math.max(1, ...lines.map(({ length }) => length)),
    height: lines.length,
  };
}

function shownScreen({ palette, width, height, aspect }: PixelScreen): LiveScreen {
  return {
    width,
    height,
    ...(aspect !== undefined && { aspect }),
    palette: Buffer.from(palette).toString('base64'),
  };
}
