import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { EpisodeData } from '../../kernel/display/mime';
import type { EpisodePlayer } from './player';

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
    // Loaded with the first episode: JupyterLab starts without it.
    const { playerOf } = await import('./playerOf');
    const made = await playerOf(model.data[this.mimeType] as unknown as EpisodeData);
    if (this.isDisposed || rendering !== this.renderings) return;
    this.player?.dispose();
    this.player = 'player' in made ? made.player : null;
    this.node.replaceChildren('player' in made ? made.player.node : made.problem);
  }

  override dispose(): void {
    this.player?.dispose();
    this.player = null;
    super.dispose();
  }
}
