import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { TrainingData } from '../../kernel/display/mime';
import { problem } from '../widgets/problem';
import { checkTraining } from './state';
import { TrainingView } from './view';

/** The output of a training run. Called again with newer data, it goes on showing the same view. */
export class TrainingRenderer extends Widget implements IRenderMime.IRenderer {
  private view: TrainingView | null = null;

  /** `session`: `null` where outputs are shown without a kernel. */
  constructor(
    private readonly mimeType: string,
    private readonly session: ISessionContext | null
  ) {
    super();
    this.addClass('joylab-Output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[this.mimeType] as unknown as TrainingData;
    const wrong = checkTraining(data);
    if (wrong) this.replace(null, problem('This training run cannot be shown.', `In the saved data, ${wrong}. Run the cell again.`));
    else if (this.view?.runId === data.runId) this.view.update(data);
    else this.replace(new TrainingView(data, this.session));
    return Promise.resolve();
  }

  override dispose(): void {
    this.view?.dispose();
    this.view = null;
    super.dispose();
  }

  private replace(view: TrainingView | null, node = view!.node): void {
    this.view?.dispose();
    this.view = view;
    this.node.replaceChildren(node);
  }
}
