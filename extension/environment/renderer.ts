import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { EnvironmentData } from '../../kernel/display/mime';
import { problem } from '../widgets/problem';
import { checkEnvironment, environmentCard } from './card';
import type { PlayView } from './play';

/** Renders an environment as its card, in which a person can play it. */
export class EnvironmentRenderer extends Widget implements IRenderMime.IRenderer {
  private game: PlayView | null = null;
  private model: IRenderMime.IMimeModel | null = null;

  /** @param session `null` where outputs are shown without a kernel */
  constructor(
    private readonly mimeType: string,
    private readonly session: ISessionContext | null,
  ) {
    super();
    this.addClass('joylab-Output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    // What has come since is shown when the game has ended.
    if (!this.game) this.showCard(model);
    return Promise.resolve();
  }

  override dispose(): void {
    this.game?.close();
    super.dispose();
  }

  private showCard(model: IRenderMime.IMimeModel): void {
    const data = model.data[this.mimeType] as unknown as EnvironmentData;
    const wrong = checkEnvironment(data);
    const play =
      this.session && data?.play !== undefined ? (picture: HTMLElement) => void this.play(data.play!, picture) : null;
    const content = wrong
      ? problem('This environment cannot be shown.', `In the saved data, ${wrong}. Run the cell again.`)
      : environmentCard(data, play);
    this.node.replaceChildren(content);
  }

  /** Starts a game in the place of the card's picture. */
  private async play(id: string, picture: HTMLElement): Promise<void> {
    const kernel = this.session?.session?.kernel;
    if (!kernel?.handleComms || this.game) return;
    // Loaded with the first game.
    const { PlayView } = await import('./play');
    if (this.isDisposed || this.game) return;
    const before = [...picture.children];
    this.game = new PlayView(kernel, id, () => {
      this.game = null;
      picture.classList.remove('joylab-mod-playing');
      picture.replaceChildren(...before);
      if (!this.isDisposed && this.model) this.showCard(this.model);
    });
    picture.classList.add('joylab-mod-playing');
    picture.replaceChildren(this.game.node);
  }
}
