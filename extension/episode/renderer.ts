import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { EpisodeData } from '../../kernel/display/mime';
import { decodeFrames } from '../frames/decode';
import { problem } from '../widgets/problem';
import { EpisodePlayer } from './player';

/** Renders an episode as its player, or the problem of its data. */
export class EpisodeRenderer extends Widget implements IRenderMime.IRenderer {
  private player: EpisodePlayer | null = null;
  /** Counts calls of `renderModel`: only the newest may show its result. */
  private renderings = 0;

  constructor(private readonly mimeType: string) {
    super();
    this.addClass('joylab-Output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const rendering = ++this.renderings;
    const data = model.data[this.mimeType] as unknown as EpisodeData;
    let content: EpisodePlayer | HTMLElement;
    try {
      const frames = await decodeFrames(data);
      if (this.isDisposed || rendering !== this.renderings) return;
      content = new EpisodePlayer(data, frames);
    } catch (error) {
      if (this.isDisposed || rendering !== this.renderings) return;
      content = problem(
        'This episode cannot be played.',
        `In the saved data, ${(error as Error).message}. Run the cell again to make it anew.`,
      );
    }
    this.replace(content);
  }

  override dispose(): void {
    this.player?.dispose();
    this.player = null;
    super.dispose();
  }

  private replace(content: EpisodePlayer | HTMLElement): void {
    this.player?.dispose();
    this.player = content instanceof EpisodePlayer ? content : null;
    this.node.replaceChildren(content instanceof EpisodePlayer ? content.node : content);
  }
}
