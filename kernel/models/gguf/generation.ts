import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimeSettings } from '../../onnx/threads';
import type { BatchCommon } from '../generation/generate';
import type { Prompt, Row } from '../generation/generateBatch';
import { RowGrowth } from '../generation/rowGrowth';
import type { Choice } from '../generation/sampling';
import { llamaCpp, type Choosing, type LlamaModel, type LlamaSequence } from './llama';

/** Largest number of completions that grow together: their tokens share a pass over the weights. */
const MOST_SEQUENCES = 16;
/** Tokens of a prompt that are computed in one run. */
const PROMPT_PART = 512;

/** Lets llama.cpp generate completions, up to 16 at a time. The random numbers of a row choose the seed of each of its tokens. */
export async function completeRows(model: LlamaModel, rows: readonly Row[], common: BatchCommon): Promise<void> {
  const { signal, streamer } = common;
  signal?.throwIfAborted();
  if (common.topLogprobs > 0)
    throw new Error('llama.cpp tells no other tokens than those it chose: leave out topLogprobs');
  const longest = Math.max(...rows.map(({ prompt }) => prompt.ids.length + prompt.limit));
  const sequences = Math.min(rows.length, MOST_SEQUENCES);
  const context = await model.createContext({
    sequences,
    // One more than is needed: where none is left it would forget some.
    contextSize: longest + 1,
    batchSize: PROMPT_PART,
    threads: runtimeSettings.threads,
    createSignal: signal,
  });
  const prompts = new Prompts(rows);
  try {
    streamer?.put(rows[0].prompt.ids);
    const growth = new RowGrowth(common);
    const waiting = [...rows];
    const free = Array.from({ length: sequences }, () => context.getSequence());
    let active: Active[] = [];
    while (waiting.length > 0 || active.length > 0) {
      signal?.throwIfAborted();
      for (; free.length > 0 && waiting.length > 0; active.push({ sequence: free.shift()!, row: waiting.shift()! }))
        await prompts.compute(waiting[0].prompt, free[0]);
      const choosing = await Promise.all(active.map(({ row }) => choosingFor(model, row, common)));
      const choices = await Promise.all(active.map((one, i) => nextToken(one, choosing[i])));
      active.forEach(({ row }, i) => growth.append(row, choices[i]));
      common.onToken();
      const isDone = ({ row }: Active) => row.terminated || row.ids.length >= row.prompt.limit;
      free.push(...active.filter(isDone).map(({ sequence }) => sequence));
      active = active.filter((one) => !isDone(one));
    }
    streamer?.end();
  } finally {
    prompts.dispose();
    await context.dispose();
  }
}

/** A row and its sequence in llama.cpp. */
interface Active {
  row: Row;
  sequence: LlamaSequence;
}

async function nextToken({ row, sequence }: Active, options: Choosing): Promise<Choice> {
  const last = row.ids.at(-1) ?? row.prompt.ids.at(-1)!;
  const [output] = await sequence.controlledEvaluate([
    [last, { generateNext: { token: true, confidence: true, options } }],
  ]);
  const { token, confidence = NaN } = output!.next;
  if (typeof token !== 'number')
    throw new Error('llama.cpp found no token that could follow: the model is damaged, or not a language model');
  return { token, logprob: Math.log(confidence) };
}

async function choosingFor(model: LlamaModel, row: Row, { settings, eos }: BatchCommon): Promise<Choosing> {
  const { temperature, topK, topP, minP, repetitionPenalty: penalty, minNewTokens } = settings;
  const seed = Math.floor(row.random.next() * 2 ** 32);
  const options: Choosing = { temperature, topK, topP, minP, seed };
  if (penalty !== 1) options.repeatPenalty = { punishTokens: [...row.seen], maxPunishTokens: row.seen.size, penalty };
  if (row.ids.length < minNewTokens) {
    const { TokenBias } = (await llamaCpp()).module;
    options.tokenBias = eos.reduce((bias, token) => bias.set(token, 'never'), TokenBias.for(model));
  }
  return options;
}

/** Computes prompts in sequences, up to their last token. A prompt of several rows is computed once. */
class Prompts {
  private readonly files = new Map<Prompt, string>();
  private folder: string | null = null;

  constructor(private readonly rows: readonly Row[]) {}

  async compute(prompt: Prompt, sequence: LlamaSequence): Promise<void> {
    await sequence.clearHistory();
    const before = prompt.ids.slice(0, -1);
    if (before.length === 0) return;
    const known = this.files.get(prompt);
    if (known) return sequence.loadStateFromFile(known, { acceptRisk: true });
    await sequence.evaluateWithoutGeneratingNewTokens(before);
    if (this.rows.filter((row) => row.prompt === prompt).length === 1) return;
    // The library copies the keys and values of a sequence through a file only.
    this.folder ??= mkdtempSync(join(tmpdir(), 'joylab-prompts-'));
    const file = join(this.folder, String(this.files.size));
    await sequence.saveStateToFile(file);
    this.files.set(prompt, file);
  }

  dispose(): void {
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
  }
}
