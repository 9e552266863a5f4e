import type { IRenderMime } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { EnvironmentData } from '../../kernel/display/mime';
import { problem } from '../widgets/problem';
import { checkEnvironment, environmentCard } from './card';

/** Renders an environment as its card. */
export class EnvironmentRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly mimeType: string) {
    super();
    this.addClass('joylab-Output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[this.mimeType] as unknown as EnvironmentData;
    const wrong = checkEnvironment(data);
    const content = wrong
      ? problem('This environment cannot be shown.', `In the saved data, ${wrong}. Run the cell again.`)
      : environmentCard(data);
    this.node.replaceChildren(content);
    return Promise.resolve();
  }
}
