import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { BENCHMARK_MIME } from '../../kernel/display/benchmarkMime';
import { LazyRenderer } from '../widgets/lazyRenderer';

/** Shows benchmarks, also in notebooks that are not trusted: the data is only numbers and text. */
export const benchmarkPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:benchmark',
  description: 'Shows benchmarks and leaderboards: tables, charts, comparisons.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate(_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry): void {
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [BENCHMARK_MIME],
        createRenderer: ({ mimeType }) =>
          new LazyRenderer(async () => {
            // Loaded with the first benchmark.
            const { BenchmarkRenderer } = await import('./renderer');
            return new BenchmarkRenderer(mimeType);
          }),
      },
      0,
    );
  },
};
