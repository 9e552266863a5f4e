import { aspectRatio } from '../../kernel/display/pictures/aspect';
import { PictureSequence, PictureView } from './pictures';
import { Screen } from './screen';
import type { FrameSequence } from './sequence';

/** The frames of an episode: pixels, or pictures. */
export type Frames = FrameSequence | PictureSequence;

/** A place that shows one frame at a time: an image to screen readers, which is to be given a name, or to be hidden from them. */
export interface FrameView {
  readonly node: HTMLElement;
  show(index: number): void;
  dispose(): void;
}

/** A new place for some frames: several can show the same ones. */
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

/** Width divided by height of the picture as it should appear; texts have none of their own. */
export function viewAspect(frames: Frames): number {
  return frames instanceof PictureSequence && frames.type === 'text/plain' ? 1 : aspectRatio(frames);
}
