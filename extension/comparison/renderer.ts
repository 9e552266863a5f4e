import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { ComparisonData } from '../../kernel/display/rewardsMime';
import { problem } from '../widgets/problem';
import { ComparisonView } from './view';

/** Renders a comparison of rewards. */
export class ComparisonRenderer extends Widget implements IRenderMime.IRenderer {
  private view: ComparisonView | null = null;

  /** @param session `null` where outputs are shown without a kernel */
  constructor(
    private readonly mimeType: string,
    private readonly session: ISessionContext | null,
  ) {
    super();
    this.addClass('joylab-Output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[this.mimeType] as unknown as ComparisonData;
    this.view?.dispose();
    this.view = null;
    const wrong = checkComparison(data);
    if (wrong)
      this.node.replaceChildren(
        problem('This comparison cannot be shown.', `In the saved data, ${wrong}. Run the cell again.`),
      );
    else {
      this.view = new ComparisonView(data, this.session);
      this.node.replaceChildren(this.view.node);
    }
    return Promise.resolve();
  }

  override dispose(): void {
    this.view?.dispose();
    this.view = null;
    super.dispose();
  }
}

/** Returns what is wrong with the data, in words; `null` when it can be shown. */
function checkComparison(data: ComparisonData): string | null {
  if (typeof data !== 'object' || data === null) return 'it is not an object';
  if (data.version !== 1) return `it has version ${data.version}, this view knows version 1`;
  for (const name of ['functions', 'unchanged', 'failures', 'rollouts', 'gains', 'losses'] as const)
    if (!Array.isArray(data[name])) return `its ${name} are missing`;
  if (![...data.gains, ...data.losses].every((i) => data.rollouts[i])) return 'its rollouts are not complete';
  return null;
}
