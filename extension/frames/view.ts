import { aspectRatio } from '../../kernel/display/pictures/aspect';
import { PictureSequence, PictureView } from './pictures';
import { Screen } from './screen';
import type { FrameSequence } from './sequence';

/** The frames of an episode: pixels, or SVG pictures and texts. */
export type Frames = FrameSequence | PictureSequence;

/** Shows one frame at a time. To screen readers it is an image: its user has to name or hide it. */
export interface FrameView {
  readonly node: HTMLElement;
  show(index: number): void;
  dispose(): void;
}

/** Returns a new view of frames; several views can show the same ones. */
export function frameView(frames: Frames): FrameView {
  if (frames instanceof PictureSequence) return new PictureView(frames);
  const cursor = frames.cursor();
  const screen = new Screen(frames);
  screen.show(cursor.pixels);
  return {
    node: screen.node,
    show(index) {
      if (cursor.seek(index)) screen.show(cursor.pixels);
    },
    dispose: () => screen.dispose(),
  };
}

/** Returns width divided by height of the picture on the screen; 1 for texts. */
export function viewAspect(frames: Frames): number {
  return frames instanceof PictureSequence && frames.type === 'text/plain' ? 1 : aspectRatio(frames);
}
