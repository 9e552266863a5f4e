import { checkCode, extractFunction, FastLanguageModel, strategyPrompt, type CausalLM } from '../../../../kernel';
import { deriveSeed } from '../../../../kernel/training/seeds';
import { play } from '../playing';
import { heldOutStarts } from '../starts';
import type { Line } from '../store';
import type { Given } from './variant';

/** Sources of a variant with a model. */
export const MODEL = ['kernel/models', 'kernel/onnx', 'test/bench/games/variants/model.ts'];

/** Completions that are sampled together, and their largest length in tokens. */
const BATCH = 64;
const MAXIMUM_TOKENS = 256;
/** Strategies of a policy that are played, and the held-out starts that each plays. */
const STRATEGIES = 64;
const STARTS = 4;

/** Loads the model that comes with Joylab. */
export async function bundledModel(): Promise<CausalLM> {
  return (await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' })).model;
}

/** Samples strategies from a model by the environment's prompt; `null` where a completion has none that may be played. */
export async function sampled(
  model: CausalLM,
  { env, seed, log }: Given,
  count: number,
): Promise<Array<string | null>> {
  const { tokenizer } = model;
  const messages = [{ role: 'user', content: strategyPrompt(env) }];
  const inputIds = tokenizer.applyChatTemplate(messages, { tokenize: true, addGenerationPrompt: true });
  const maxNewTokens = Math.min(MAXIMUM_TOKENS, model.maxSeqLength - inputIds.length);
  if (maxNewTokens < 1) throw new RangeError(`The prompt of ${env.name} leaves the model no room to answer.`);
  const codes: Array<string | null> = [];
  while (codes.length < count) {
    const numReturnSequences = Math.min(BATCH, count - codes.length);
    const { sequences } = await model.generate({
      inputIds,
      numReturnSequences,
      maxNewTokens,
      temperature: 1,
      seed: deriveSeed(seed, 'samples', codes.length),
    });
    codes.push(...sequences.map((ids) => playable(tokenizer.decode(ids, { skipSpecialTokens: true }))));
    log(`${codes.length} of ${count} sampled`);
  }
  return codes;
}

function playable(completion: string): string | null {
  const code = extractFunction(completion);
  return code !== null && checkCode(code).length === 0 ? code : null;
}

/**
 * Returns the line of a policy: the mean of strategies sampled from it, none of them
 * picked. A completion without a strategy counts as the worst one.
 */
export async function policyLine(name: string, model: CausalLM, given: Given): Promise<Line> {
  const codes = await sampled(model, given, STRATEGIES);
  const starts = heldOutStarts(STARTS);
  const valid = codes.filter((code) => code !== null);
  const [steps] = given.task.reportedSteps;
  const episodes = await play(
    given.env,
    valid.flatMap((code) => starts.map(() => code)),
    valid.flatMap(() => starts),
    Math.min(steps, given.task.trainingSteps),
  );
  const means = valid.map(
    (_, c) => episodes.slice(c * STARTS, (c + 1) * STARTS).reduce((sum, episode) => sum + episode.return, 0) / STARTS,
  );
  const worst = Math.min(0, ...means);
  return { name, returns: { [steps]: [...means, ...codes.filter((code) => code === null).map(() => worst)] } };
}
