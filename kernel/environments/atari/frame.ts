import { shownSize } from '../../display/pictures/aspect';
import { bundleMetadata, type MimeBundle } from '../../display/host';
import { png } from '../card/image';
import { SCREEN_ASPECT, SCREEN_HEIGHT, SCREEN_WIDTH } from './screen';

/** A frame of a game, displayed as a picture. */
export class AtariFrame {
  readonly width = SCREEN_WIDTH;
  readonly height = SCREEN_HEIGHT;

  constructor(
    private readonly screen: Promise<Uint8Array>,
    /** 3 bytes (red, green, blue) for each value of a pixel. */
    readonly palette: Uint8Array,
  ) {
    screen.catch(() => {}); // the error is for whoever looks at the frame
  }

  /** 210 × 160 palette indices, row by row. */
  pixels(): Promise<Uint8Array> {
    return this.screen;
  }

  /** The frame as a PNG file as a television shows it, 4:3; each of its lines is `scale` pixels high. */
  async png(scale = 2): Promise<Uint8Array> {
    const { width, height, palette } = this;
    return png(
      { width, height, palette, pixels: await this.screen },
      shownSize({ width, height, aspect: SCREEN_ASPECT }, scale),
    );
  }

  async [Symbol.for('Jupyter.display')](): Promise<MimeBundle> {
    const text = `A frame of ${this.width} × ${this.height} pixels`;
    return {
      'image/png': Buffer.from(await this.png()).toString('base64'),
      'text/plain': text,
      [bundleMetadata]: { 'image/png': { alt: text } },
    };
  }
}
