import { dropoutRows } from '../../models/graph/dropout';
import { DROPOUT_INPUT, type GraphParameters } from '../../models/graph/parameters';
import { sequencesOf, treeFeeds, type TreeRows } from '../../models/graph/trees';
import type { Graph } from '../../onnx/graph';
import { GraphSession, int64Feed, type Feed } from '../../onnx/session';
import { zeros, type Tensor } from '../../onnx/tensor';
import { GradientSums } from './gradientSums';
import { lossGraph, rootBackwardGraph, rootForwardGraph, type GraphOptions, type UpdateGraph } from './graphs';
import type { BatchOutcome, TokenBatch } from './modelUpdate';
import type { PlannedSequence, PlannedTree, PlannedStep } from './plan';

/** Destination of the results of runs. */
export interface RunTarget {
  outcome: BatchOutcome;
  /** Gradients are added to it; `null` where nothing is trained. */
  sums: GradientSums | null;
  /** Dropout follows from it, in training. */
  seed?: number;
  signal?: AbortSignal;
}

/** Logits that are held at once: 64 MiB of them. */
const MOST_LOGITS = 2 ** 24;

interface Loaded<G> {
  made: G;
  session: GraphSession;
}

/** Runs the steps of a plan. Graphs are made at their first use. */
export class Runner {
  private readonly loaded = new Map<string, Promise<Loaded<{ graph: Graph; parameters: GraphParameters }>>>();

  constructor(
    private readonly options: GraphOptions,
    private readonly maxLogits = MOST_LOGITS,
  ) {}

  async run(step: PlannedStep, batch: TokenBatch, target: RunTarget): Promise<void> {
    if (step.rows === 'cut') await this.runCut(step, batch, target);
    else await this.runLoss(step.rows, step.trees, batch, target, {}, target.sums ? [target.sums] : []);
  }

  /** Runs the root forward, its branches with the root's keys and values, the root backward with the gradients of these. */
  private async runCut(
    { root, parts }: Extract<PlannedStep, { rows: 'cut' }>,
    batch: TokenBatch,
    target: RunTarget,
  ): Promise<void> {
    const { sums, signal } = target;
    const feeds = this.feeds([{ root, branches: [] }], 'roots', target);
    const forward = await this.load('root forward', () => rootForwardGraph(this.options));
    signal?.throwIfAborted();
    const values = await forward.session.run({ ...forward.made.parameters.feeds(), ...feeds });
    const flowing = new GradientSums(new Map(Object.entries(values)));
    for (const branches of parts)
      await this.runLoss('branches', [{ root, branches }], batch, target, values, sums ? [sums, flowing] : []);
    if (!sums) return;
    const backward = await this.load('root backward', () => rootBackwardGraph(this.options));
    signal?.throwIfAborted();
    await this.runUpdate(backward, { ...feeds, ...flowing.use(Object.keys(values)).into }, [sums]);
  }

  /** Adds loss and gradients of some rows to the outcome. */
  private async runLoss(
    rows: TreeRows,
    trees: PlannedTree[],
    batch: TokenBatch,
    target: RunTarget,
    given: Record<string, Feed>,
    sums: GradientSums[],
  ): Promise<void> {
    const { outcome, signal } = target;
    const completions = learned(trees);
    const parts = this.headParts(completions.reduce((sum, i) => sum + batch.completionIds[i].length, 0));
    const loaded = await this.load(`${rows} ${parts}`, () => lossGraph(this.options, rows, parts));
    signal?.throwIfAborted();
    const feeds = { ...given, ...this.feeds(trees, rows, target, parts), ...this.objectiveFeeds(batch, completions) };
    const outputs = await this.runUpdate(loaded, feeds, sums);
    outcome.loss += outputs.loss?.data[0] ?? 0;
    for (const [output, { data }] of Object.entries(outputs)) {
      if (!output.startsWith('token ')) continue;
      const perCompletion = (outcome.tokens[output.slice('token '.length)] ??= []);
      let start = 0;
      for (const i of completions) perCompletion[i] = data.slice(start, (start += batch.completionIds[i].length));
    }
  }

  /** Runs a graph that adds to sums; each sum is in the first of `sums` that knows it. */
  private async runUpdate(
    { made, session }: Loaded<UpdateGraph>,
    feeds: Record<string, Feed>,
    sums: GradientSums[],
  ): Promise<Record<string, Tensor>> {
    const all: Record<string, Feed> = { ...made.parameters.feeds(), ...feeds };
    const into: Record<string, Tensor> = {};
    for (const sum of sums) {
      const used = sum.use(made.sums.filter((name) => sum.has(name)));
      Object.assign(all, used.feeds);
      Object.assign(into, used.into);
    }
    const outputs = await session.run(all, { into });
    made.rows.forEach(({ name, ids }, i) =>
      sums[0].addRows(name, all[ids].data as BigInt64Array, outputs[`rows ${i}`]),
    );
    return outputs;
  }

  /** Returns the number of parts of the head that have few enough logits each: a power of 2, so that there are few graphs. */
  private headParts(tokens: number): number {
    const needed = (tokens * this.options.config.vocabSize) / this.maxLogits;
    return needed <= 1 ? 1 : Math.min(tokens, 2 ** Math.ceil(Math.log2(needed)));
  }

  private feeds(
    trees: readonly PlannedTree[],
    rows: TreeRows,
    { seed = 0 }: RunTarget,
    headParts = 1,
  ): Record<string, Feed> {
    const feeds = treeFeeds(trees, rows, headParts);
    if (!this.options.parameters.adapter?.config.loraDropout) return feeds;
    const sequences = sequencesOf(trees, rows).map(({ stream, ids }) => ({ stream, length: ids.length }));
    return { ...feeds, [DROPOUT_INPUT]: dropoutRows(sequences, seed) };
  }

  /** Returns the inputs of the objective: values per token of some completions, one after the other. */
  private objectiveFeeds({ completionIds, tokens }: TokenBatch, completions: readonly number[]): Record<string, Feed> {
    const completionOf = completions.flatMap((i, k) => completionIds[i].map(() => k));
    const members = zeros([completions.length, completionOf.length]);
    completionOf.forEach((k, token) => (members.data[k * completionOf.length + token] = 1));
    const feeds: Record<string, Feed> = { members, completion_of: int64Feed(completionOf) };
    for (const name of this.options.objective?.inputs ?? []) {
      const data = Float32Array.from(completions.flatMap((i) => Array.from(tokens[name][i])));
      feeds[`token ${name}`] = { shape: [data.length], data };
    }
    return feeds;
  }

  private load<G extends { graph: Graph; parameters: GraphParameters }>(
    key: string,
    make: () => G,
  ): Promise<Loaded<G>> {
    let loaded = this.loaded.get(key);
    if (!loaded) this.loaded.set(key, (loaded = load(make())));
    return loaded as Promise<Loaded<G>>;
  }

  async dispose(): Promise<void> {
    for (const loaded of this.loaded.values()) await (await loaded).session.release();
    this.loaded.clear();
  }
}

async function load<G extends { graph: Graph }>(made: G): Promise<Loaded<G>> {
  return { made, session: await GraphSession.create(made.graph, { spin: true }) };
}

/** Returns the completions whose tokens trees learn, in the order of their rows. */
function learned(trees: readonly PlannedTree[]): number[] {
  const sequences: PlannedSequence[] = [...trees.map(({ root }) => root), ...trees.flatMap(({ branches }) => branches)];
  return sequences.flatMap(({ completion }) => completion ?? []);
}
