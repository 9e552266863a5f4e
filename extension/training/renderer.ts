import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { ExperimentData } from '../../kernel/display/experimentMime';
import type { TrainingData } from '../../kernel/display/mime';
import type { TrainingView } from './view';

/** The view with all that it needs, loaded with the first run: JupyterLab starts without it. */
const load = () => import('./load');

/** The cell of a run, by the run's ID. */
export interface RunCell {
  rerun(runId: string): void;
  saved(runId: string): ExperimentData | null;
}

/**
 * Renders a training run. Rendered again with newer data, it keeps its view. A view
 * may know more than the notebook: what it shows is written into the notebook before
 * that is saved.
 */
export class TrainingRenderer extends Widget implements IRenderMime.IRenderer {
  private view: TrainingView | null = null;
  private model: IRenderMime.IMimeModel | null = null;
  private loaded: Awaited<ReturnType<typeof load>> | null = null;

  /**
   * @param context the notebook; `null` where outputs are shown without one
   * @param cell the cell that has the output of a run: runs it, and tells the experiment that is saved with it
   */
  constructor(
    private readonly mimeType: string,
    private readonly context: DocumentRegistry.Context | null,
    private readonly cell: RunCell | null,
  ) {
    super();
    this.addClass('joylab-Output');
    context?.saveState.connect(this.onSaveState, this);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    const loaded = (this.loaded ??= await load());
    // Only the newest model is shown.
    if (this.isDisposed || model !== this.model) return;
    const data = this.kept!;
    const wrong = loaded.checkTraining(data);
    if (wrong)
      this.replace(
        null,
        loaded.problem('This training run cannot be shown.', `In the saved data, ${wrong}. Run the cell again.`),
      );
    else if (this.view?.runId === data.runId) this.view.update(data);
    else this.replace(this.newView(data));
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.context?.saveState.disconnect(this.onSaveState, this);
    this.view?.dispose();
    this.view = null;
    super.dispose();
  }

  /** Returns the run as the notebook has it. */
  private get kept(): TrainingData | undefined {
    return this.model?.data[this.mimeType] as TrainingData | undefined;
  }

  private newView(data: TrainingData): TrainingView {
    const { context, cell } = this;
    const { runId } = data;
    return new this.loaded!.TrainingView(data, context?.sessionContext ?? null, () => this.keep(), {
      resume: cell && (() => cell.rerun(runId)),
      saved: () => cell?.saved(runId) ?? null,
    });
  }

  private onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'started') this.keep();
  }

  /** Writes the run that is shown into the notebook, with its forms for other viewers. */
  private keep(): void {
    const { kept, model } = this;
    if (this.isDisposed || !kept || !model || this.view?.runId !== kept.runId) return;
    const data = this.view.newerThan(kept);
    if (data) model.setData({ data: { ...model.data, ...this.loaded!.trainingBundle(data) } as never });
  }

  private replace(view: TrainingView | null, node = view!.node): void {
    this.view?.dispose();
    this.view = view;
    this.node.replaceChildren(node);
  }
}
