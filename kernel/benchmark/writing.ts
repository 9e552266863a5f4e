import { ChatModelError, type ChatModel } from '../chat';
import { withProgress } from '../display/progress/progress';
import type { CausalLM } from '../models';
import { extractFunction } from '../strategy';
import { checkCodeAsync } from '../strategy/check';
import { deriveSeed } from '../training/seeds';
import type { Attempt, SampleSettings } from './entry';

/** What strategies are written for, and what is there already. */
export interface Writing {
  /** Name of the policy, for progress. */
  name: string;
  prompt: string;
  sampling: SampleSettings;
  /** Attempts of an earlier run. */
  earlier: readonly Attempt[];
  signal: AbortSignal;
  /** Called with all attempts that there are, in order, whenever there are more. */
  onAttempts(attempts: Attempt[]): void;
}

/** Characters of a completion without a strategy that are kept. */
const KEPT = 2000;

/** Returns the seeds of a model's attempts: below 2³¹, as servers take them. */
export function attemptSeeds({ seed, attempts }: SampleSettings): number[] {
  return Array.from({ length: attempts }, (_, i) => deriveSeed(seed, 'benchmark', i));
}

/**
 * Lets a model of this process write the attempts that are missing.
 *
 * @throws the signal's reason when aborted
 */
export async function writeByModel(model: CausalLM, writing: Writing): Promise<void> {
  const { prompt, sampling, earlier, signal } = writing;
  const missing = missingSeeds(writing);
  if (missing.length === 0) return;
  const { tokenizer } = model;
  const inputIds = tokenizer.applyChatTemplate([{ role: 'user', content: prompt }], { addGenerationPrompt: true });
  const started = performance.now();
  const { temperature, topP, maxNewTokens } = sampling;
  const { sequences } = await model.generate({
    inputIds: missing.map(() => inputIds),
    seed: missing,
    doSample: temperature > 0,
    temperature,
    topP,
    // What a server does that is asked for no more than a temperature.
    topK: 0,
    minP: 0,
    maxNewTokens,
    signal,
  });
  const seconds = (performance.now() - started) / 1000 / missing.length;
  const attempts = [...earlier];
  for (const [i, ids] of sequences.entries())
    attempts.push(
      await attemptOf(missing[i], tokenizer.decode(ids, { skipSpecialTokens: true }), {
        promptTokens: inputIds.length,
        completionTokens: ids.length,
        seconds,
      }),
    );
  writing.onAttempts(inOrder(attempts, sampling));
}

/**
 * Asks a model behind an address for the attempts that are missing, several at a time.
 * Resolves to why it gave up; `undefined` where it did not.
 *
 * @throws the signal's reason when aborted
 */
export async function writeByChat(model: ChatModel, writing: Writing): Promise<ChatModelError | undefined> {
  const { name, prompt, sampling, earlier, signal, onAttempts } = writing;
  const missing = missingSeeds(writing);
  const attempts = [...earlier];
  const gaveUp = new AbortController();
  const either = AbortSignal.any([signal, gaveUp.signal]);
  const waiting = [...missing];
  let problem: ChatModelError | undefined;
  const ask = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const { temperature, topP, maxNewTokens: maxTokens } = sampling;
      const options = { seed, temperature, topP, maxTokens, signal: either };
      const { text, ...cost } = await model.complete([{ role: 'user', content: prompt }], options);
      attempts.push(await attemptOf(seed, text, cost));
      onAttempts(inOrder(attempts, sampling));
    }
  };
  const failed = (error: unknown): void => {
    // Only the first failure counts: the others are asked to stop for it.
    if (gaveUp.signal.aborted || signal.aborted) return;
    if (!(error instanceof ChatModelError)) throw error;
    problem = error;
    gaveUp.abort(error);
  };
  await withProgress(`Asking ${name} for strategies`, missing.length, async (task) => {
    const workers = Array.from({ length: Math.min(model.options.concurrency, missing.length) }, () =>
      ask().catch(failed),
    );
    const timer = setInterval(() => task.update(attempts.length - earlier.length), 250);
    await Promise.all(workers).finally(() => clearInterval(timer));
  });
  signal.throwIfAborted();
  return problem;
}

function missingSeeds({ earlier, sampling }: Writing): number[] {
  const there = new Set(earlier.map(({ seed }) => seed));
  return attemptSeeds(sampling).filter((seed) => !there.has(seed));
}

function inOrder(attempts: readonly Attempt[], sampling: SampleSettings): Attempt[] {
  const seeds = attemptSeeds(sampling);
  return [...attempts].sort((a, b) => seeds.indexOf(a.seed!) - seeds.indexOf(b.seed!));
}

async function attemptOf(
  seed: number,
  completion: string,
  { promptTokens, completionTokens, seconds }: Pick<Attempt, 'promptTokens' | 'completionTokens' | 'seconds'>,
): Promise<Attempt> {
  const code = extractFunction(completion);
  const [problem] = code === null ? [] : await checkCodeAsync(code);
  const said = code === null ? 'no function strategy in a block of code' : problem?.reason;
  return {
    seed,
    code,
    ...(said !== undefined && { problem: said, completion: completion.slice(0, KEPT) }),
    returns: null,
    failures: 0,
    promptTokens,
    completionTokens,
    seconds,
  };
}
