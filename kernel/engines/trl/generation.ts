import type { BatchCommon } from '../../models/generation/generate';
import type { Row } from '../../models/generation/generateBatch';
import { RowGrowth } from '../../models/generation/rowGrowth';
import type { HeldModel } from './held';
import { ragged, type Message } from './protocol';

/** Lets a worker write completions. The random numbers of a row choose the seed of its own there. */
export async function completeRows(
  held: HeldModel,
  rows: readonly Row[],
  common: BatchCommon,
  withoutAdapter: boolean,
): Promise<void> {
  const { settings, eos, stops, signal, streamer } = common;
  signal?.throwIfAborted();
  if (common.topLogprobs > 0)
    throw new Error('a worker tells no other tokens than those it chose: leave out topLogprobs');
  const growth = new RowGrowth(common);
  const grows = ({ terminated, ids, prompt }: Row) => !terminated && ids.length < prompt.limit;
  const append = ({ type, tokens, logprobs }: Message): void => {
    if (type !== 'tokens') return;
    rows.forEach((row, i) => {
      if (grows(row)) growth.append(row, { token: (tokens as Int32Array)[i], logprob: (logprobs as Float32Array)[i] });
    });
    common.onToken();
    // Rows have limits of their own, which the worker does not know.
    if (!rows.some(grows)) held.cancel();
  };
  streamer?.put(rows[0].prompt.ids);
  const cancel = (): void => held.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const { maxNewTokens: _, ...sampling } = settings;
    await held.do(
      'generate',
      {
        ...sampling,
        maxNewTokens: Math.max(...rows.map(({ prompt }) => prompt.limit)),
        eosTokenIds: eos,
        stopStrings: stops,
        seeds: rows.map(({ random }) => Math.floor(random.next() * 2 ** 32)),
        withoutAdapter,
      },
      { parts: { ...ragged(rows.map(({ prompt }) => [...prompt.ids])) }, listener: { message: append } },
    );
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
  signal?.throwIfAborted();
  streamer?.end();
}
