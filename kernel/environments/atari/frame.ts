import { shownSize } from '../../display/pictures/aspect';
import { bundleMetadata, type MimeBundle } from '../../display/cellContext';
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
    screen.catch(() => {}); // the error is for those who read the frame
  }

  /** Returns 210 × 160 palette indices, row by row. */
  pixels(): Promise<Uint8Array> {
    return this.screen;
  }

  /** Returns the frame as a PNG file in a television's 4:3, `scale` times as high as the screen's 210 pixels. */
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
