import { download } from '../widgets/download';
import { element, iconButton } from '../widgets/element';
import { icon } from '../widgets/icons';
import { PictureSequence } from '../frames/pictures';
import type { Frames } from '../frames/view';

/** What the tools need of their player. */
export interface ToolTarget {
  frames: Frames;
  fps: number;
  /** Start of the files' names. */
  name: string;
  /** Returns the frame that is shown. */
  index(): number;
  /** The node that fills the screen. */
  node: HTMLElement;
}

/** The buttons that copy a frame, save it or the whole episode, and fill the screen. */
export function playerTools(target: ToolTarget): HTMLElement {
  const said = element('span', 'joylab-Tools-said');
  said.setAttribute('role', 'status');
  let timer = 0;
  const say = (text: string): void => {
    clearTimeout(timer);
    said.textContent = text;
    timer = window.setTimeout(() => {
      said.textContent = '';
    }, 3000);
  };
  const tool = (name: Parameters<typeof icon>[0], label: string, work: () => Promise<string>): HTMLButtonElement => {
    const button = iconButton(icon(name), label, () => {
      button.disabled = true;
      void work()
        .then(say, (error: Error) => say(`That did not work: ${error.message}.`))
        .finally(() => {
          button.disabled = false;
        });
    });
    return button;
  };
  const full = iconButton(icon('expand'), 'Full screen (F)', () => toggleFullScreen(target.node));
  return element('div', 'joylab-Tools', [said, ...(isText(target.frames) ? textTools() : pictureTools()), full]);

  function textTools(): HTMLElement[] {
    return [
      tool('copy', 'Copy the text', async () => {
        await navigator.clipboard.writeText((target.frames as PictureSequence).pictures[target.index()]);
        return 'Copied';
      }),
    ];
  }

  function pictureTools(): HTMLElement[] {
    return [
      tool('copy', 'Copy the picture', async () => {
        const { pngOf } = await exports();
        const picture = pngOf(target.frames, target.index());
        await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
        return 'Copied';
      }),
      tool('picture', 'Save the picture as PNG', async () => {
        const { pngOf } = await exports();
        download(`${target.name}-frame-${target.index()}.png`, await pngOf(target.frames, target.index()));
        return 'Saved';
      }),
      tool('film', 'Save the episode as GIF', async () => {
        say('Making a GIF…');
        // The page shows that first.
        await new Promise((resolve) => setTimeout(resolve, 30));
        const { gifOf } = await exports();
        download(`${target.name}.gif`, await gifOf(target.frames, target.fps));
        return 'Saved';
      }),
    ];
  }
}

/** Fills the screen with a node, or leaves it. */
export function toggleFullScreen(node: HTMLElement): void {
  if (document.fullscreenElement === node) void document.exitFullscreen();
  else void node.requestFullscreen();
}

/** What makes files is loaded when it is wanted. */
function exports(): Promise<typeof import('./export')> {
  return import('./export');
}

function isText(frames: Frames): boolean {
  return frames instanceof PictureSequence && frames.type === 'text/plain';
}
