import type { BatchSetting, Prompt, Row } from './generateBatch';
import { checkSettings } from '../../common/settings';
import { withProgress, type Task } from '../../display/progress/progress';
import {
  checkGenerationConfig,
  generateDeclaration,
  type GenerateOptions,
  type GenerationConfig,
} from './generateOptions';
import { generationSettings } from './generationConfig';
import type { TokenLogprob } from './sampling';
import { seededRandom } from '../../common/random';

/** Completions in the order of the prompts; those of a prompt follow each other. */
export interface Generation {
  /** Token IDs without the prompt; the end token, if it was reached, is the last. */
  sequences: number[][];
  /**
   * Log-probability of each token in nats, at the temperature of sampling, before topK,
   * topP and minP; at temperature 1 where tokens are not sampled.
   */
  logprobs: Float32Array[];
  /** The most likely tokens in the place of each, the first of all first, with their log-probabilities; where `topLogprobs` is given. */
  topLogprobs?: TokenLogprob[][][];
  /** Whether each completion ended by itself (end token or stop string), not at the limit of tokens. */
  terminated: boolean[];
}

/** Settings that the completions of a call have in common. */
export type BatchCommon = Omit<BatchSetting, 'engine' | 'prefills'>;

/** Completes the rows of a batch. Rows of the same prompt are adjacent. */
export type CompleteRows = (rows: readonly Row[], common: BatchCommon) => Promise<void>;

/** What generation needs of a model. */
export interface GenerationSetting {
  /** Resolves to a function that completes rows, for at most `tokens` tokens in all. */
  completer(tokens: number): Promise<CompleteRows>;
  generationConfig: GenerationConfig;
  maxSeqLength: number;
  eosTokenIds: readonly number[];
  decode: (ids: readonly number[]) => string;
}

/** Rows that are decoded together: more share a pass over the weights, but take more memory. */
const ROWS_PER_BATCH = 64;

/** Generates completions, those of several prompts together. Throws when an option or a prompt is wrong. */
export async function generate(setting: GenerationSetting, options: GenerateOptions): Promise<Generation> {
  checkSettings(generateDeclaration, options);
  checkGenerationConfig(setting.generationConfig);
  const settings = generationSettings(options, setting.generationConfig);
  const copies = options.numReturnSequences ?? 1;
  const prompts = promptsOf(setting, options, settings.maxNewTokens);
  if (options.streamer && prompts.length * copies !== 1) {
    throw new Error('a streamer follows one completion: give one prompt and numReturnSequences 1');
  }
  if (Array.isArray(options.seed) && options.seed.length !== prompts.length) {
    throw new Error(
      `seed has ${options.seed.length} numbers for ${prompts.length} prompts; give one number, or one per prompt`,
    );
  }
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const rows = prompts.flatMap((prompt, number) =>
    Array.from({ length: copies }, (_, copy) => ({
      prompt,
      ids: [] as number[],
      logprobs: [] as number[],
      top: [] as TokenLogprob[][],
      terminated: false,
      random: Array.isArray(seed) ? seededRandom(seed[number], copy) : seededRandom(seed, number * copies + copy),
      seen: new Set(prompt.ids),
    })),
  );
  const { streamer, signal, topLogprobs = 0 } = options;
  const eos = options.eosTokenId === undefined ? setting.eosTokenIds : [options.eosTokenId ?? []].flat();
  const stops = [options.stopStrings ?? []].flat().filter((stop) => stop.length > 0);
  const write = async (onToken: () => void): Promise<void> => {
    const complete = await setting.completer(rows.reduce((sum, { prompt }) => sum + prompt.limit, 0));
    const common = { decode: setting.decode, settings, eos, stops, streamer, signal, topLogprobs, onToken };
    const inOrder = byPrompt(rows);
    for (let start = 0; start < rows.length; start += ROWS_PER_BATCH)
      await complete(inOrder.slice(start, start + ROWS_PER_BATCH), common);
  };
  // A streamer shows what is written itself.
  if (streamer) await write(() => {});
  else
    await withProgress(rows.length === 1 ? 'Generating a completion' : 'Generating completions', rows.length, (task) =>
      write(() => report(task, rows)),
    );
  return {
    sequences: rows.map((row) => row.ids),
    logprobs: rows.map((row) => Float32Array.from(row.logprobs)),
    terminated: rows.map((row) => row.terminated),
    ...(topLogprobs > 0 && { topLogprobs: rows.map((row) => row.top) }),
  };
}

/** Updates the progress. The rest of a completion that ended before its limit counts as written. */
function report(task: Task, rows: readonly Row[]): void {
  let [done, share] = [0, 0];
  for (const { ids, terminated, prompt } of rows) {
    const isDone = terminated || ids.length >= prompt.limit;
    if (isDone) done++;
    share += isDone ? 1 : ids.length / prompt.limit;
  }
  task.update(done, share / rows.length);
}

/** Returns rows in an order in which those of a prompt are adjacent, so that it is computed once. */
function byPrompt(rows: readonly Row[]): Row[] {
  const groups = new Map<Prompt, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.prompt);
    if (group) group.push(row);
    else groups.set(row.prompt, [row]);
  }
  return [...groups.values()].flat();
}

/** Returns the prompts of a call, equal ones as one object. Throws when there are none, or one is too long. */
function promptsOf(
  { maxSeqLength }: GenerationSetting,
  options: GenerateOptions,
  maxNewTokens: (length: number) => number,
): Prompt[] {
  const given = options.inputIds ?? options.input_ids;
  if (!given || given.length === 0)
    throw new Error('generate needs inputIds: generate({ ...tokenizer(text), maxNewTokens: 128 })');
  const prompts = Array.isArray(given[0]) ? (given as number[][]) : [given as number[]];
  const masks = options.attentionMask;
  const byPrompt = masks && (Array.isArray(masks[0]) ? (masks as number[][]) : [masks as number[]]);
  const known = new Map<string, Prompt>();
  return prompts.map((prompt, i) => {
    const ids = byPrompt ? prompt.filter((_, j) => byPrompt[i]?.[j] !== 0) : prompt;
    if (ids.length === 0) throw new Error(`prompt ${i} is empty; the model needs at least one token`);
    const limit = Math.min(maxNewTokens(ids.length), maxSeqLength - ids.length);
    if (maxSeqLength <= ids.length) {
      throw new Error(
        `the prompt has ${ids.length} tokens, the model takes ${maxSeqLength} with the completion; ` +
          'shorten it or load the model with a larger maxSeqLength',
      );
    }
    if (limit < 1)
      throw new Error(
        `the prompt has ${ids.length} tokens, as many as maxLength allows with the completion; give maxNewTokens instead`,
      );
    const key = ids.join();
    const same = known.get(key) ?? { ids, limit };
    known.set(key, same);
    return same;
  });
}
